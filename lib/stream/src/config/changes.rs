//! Which keys of `kafka` a new configuration changes: all of them need a restart.

use runtime::reload::{Changes, Fixed};

use super::{ClientCertificate, KafkaConfig, KafkaSsl};

impl Fixed for KafkaConfig {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self {
            brokers,
            topic,
            partitions,
            replication,
            retention,
            group,
            key,
            previous_key,
            ssl,
            sasl,
            compression,
        } = new;
        changes.needs_restart("kafka.brokers", &self.brokers, brokers);
        changes.needs_restart("kafka.topic", &self.topic, topic);
        changes.needs_restart("kafka.partitions", &self.partitions, partitions);
        changes.needs_restart("kafka.replication", &self.replication, replication);
        changes.needs_restart("kafka.retention", &self.retention, retention);
        changes.needs_restart("kafka.group", &self.group, group);
        changes.needs_restart("kafka.key", &self.key, key);
        changes.needs_restart("kafka.previous_key", &self.previous_key, previous_key);
        changes.needs_restart("kafka.sasl", &self.sasl, sasl);
        changes.needs_restart("kafka.compression", &self.compression, compression);
        changes.optional("kafka.ssl", self.ssl.as_ref(), ssl.as_ref());
    }
}

impl Fixed for KafkaSsl {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self { ca, client } = new;
        changes.needs_restart("kafka.ssl.ca", &self.ca, ca);
        let (old, new) = (self.client.as_ref(), client.as_ref());
        changes.optional("kafka.ssl.certificate", old, new);
    }
}

impl Fixed for ClientCertificate {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self {
            certificate,
            key,
            key_password,
        } = new;
        changes.needs_restart("kafka.ssl.certificate", &self.certificate, certificate);
        changes.needs_restart("kafka.ssl.key", &self.key, key);
        changes.needs_restart("kafka.ssl.key_password", &self.key_password, key_password);
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
