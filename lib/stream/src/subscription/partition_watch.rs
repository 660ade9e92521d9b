//! The watch over partitions: does the consumer read what comes to them?
//!
//! A consumer has been seen to read nothing for ever, as a healthy member of its group, from a topic
//! that was deleted and made anew. So a second client looks at the ends of partitions from which nothing was
//! read for a while. A partition may be shorter than it was; or it has grown by one look, and nothing was read
//! from it until the next. Either shows that the consumer misses messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, WrapErr as _};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
};

use super::settings::Settings;
use crate::{Quiet, client_config};

/// How often to look: a message that has come is read long before, unless a connection fell silent, and then another
/// one helps as well.
const EVERY: Duration = Duration::from_secs(4);
/// Looks that are further apart say nothing about each other: this process stood still.
const LATEST: Duration = Duration::from_secs(6);
/// How long a look may take.
const LIMIT: Duration = Duration::from_secs(2);

/// The next offsets of partitions.
type Ends = BTreeMap<i32, i64>;

/// What is known of the partitions.
pub(super) struct PartitionWatch {
    /// From which something was read since the last look.
    read: BTreeSet<i32>,
    /// When was last looked.
    looked_at: Instant,
    /// What was found.
    growth: Growth,
    /// Partitions to look at; one question at a time.
    questions: SyncSender<Vec<i32>>,
    /// Their ends, if Kafka has told.
    answers: Receiver<Option<Ends>>,
    /// The thread that asks Kafka; it ends with the questions.
    thread: JoinHandle<()>,
}

/// What the looks have shown.
#[derive(Debug, Default)]
struct Growth {
    /// The highest ends that were ever seen, whichever member reads the partition.
    highest: Ends,
    /// The ends, at the last look, of partitions from which nothing was read until then.
    ends: Ends,
    /// Those whose end was another one at the look before that.
    grown: BTreeSet<i32>,
}

impl PartitionWatch {
    /// Nothing is known yet.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let (questions, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let settings = settings.clone();
        let thread = thread::Builder::new()
            .name("partition watch".to_owned())
            .spawn(move || ask(&settings, &asked, &answer))
            .wrap_err("start a thread that looks at partitions")?;
        Ok(Self {
            read: BTreeSet::new(),
            looked_at: Instant::now(),
            growth: Growth::default(),
            questions,
            answers,
            thread,
        })
    }

    /// The message at this offset came from a partition.
    pub(super) fn read(&mut self, partition: i32, offset: i64) {
        self.read.insert(partition);
        self.growth.highest.insert(partition, offset + 1);
    }

    /// Whether something came to one of these partitions, which are all that the consumer has, and was not read.
    /// Never waits.
    pub(super) fn misses_messages(&mut self, partitions: impl Iterator<Item = i32>) -> bool {
        if let Ok(answer) = self.answers.try_recv() {
            let mut ends = answer.unwrap_or_default();
            ends.retain(|partition, _| !self.read.contains(partition));
            self.read.clear();
            return self.growth.look(ends);
        }
        let pause = self.looked_at.elapsed();
        if pause >= EVERY {
            self.looked_at = Instant::now();
            if pause > LATEST {
                self.growth.pause();
            }
            let silent = partitions.filter(|partition| !self.read.contains(partition));
            // While the last question is open there is no other.
            drop(self.questions.try_send(silent.collect()));
        }
        false
    }

    /// These partitions are given or taken.
    pub(super) fn reassign(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.growth.ends.remove(partition);
            self.growth.grown.remove(partition);
        }
    }

    /// Nothing is read for now.
    pub(super) fn pause(&mut self) {
        self.growth.pause();
    }

    /// Another consumer reads from now on.
    pub(super) fn start_over(&mut self) {
        self.growth = Growth::default();
    }

    /// Asks nothing any more; the thread ends soon.
    pub(super) fn end(self) -> JoinHandle<()> {
        self.thread
    }
}

impl Growth {
    /// Takes in the ends of the partitions from which nothing was read since the last look; whether one of
    /// them had grown by then, or is shorter than it was: its topic was made anew.
    fn look(&mut self, ends: Ends) -> bool {
        let misses = ends.iter().any(|(partition, end)| {
            let shorter = self
                .highest
                .get(partition)
                .is_some_and(|highest| end < highest);
            shorter || self.grown.contains(partition)
        });
        let grown = ends.iter().filter(|(partition, end)| {
            let before = self.ends.get(partition);
            before.is_some_and(|before| before != *end)
        });
        self.grown = grown.map(|(partition, _)| *partition).collect();
        // A consumer that misses messages goes on missing them until another one takes its place.
        if !misses {
            self.highest.extend(&ends);
        }
        self.ends = ends;
        misses
    }

    /// Looks say nothing about each other for now.
    fn pause(&mut self) {
        self.ends.clear();
        self.grown.clear();
    }
}

/// Answers questions until there are no more.
fn ask(settings: &Settings, questions: &Receiver<Vec<i32>>, answers: &SyncSender<Option<Ends>>) {
    let client_id = format!("{}-pulse", settings.client_id);
    let mut client = None;
    for partitions in questions {
        // The configuration was good enough for the client that reads.
        let asked = client.take().or_else(|| {
            let config = client_config(&settings.kafka, &client_id);
            config.create_with_context(Quiet).ok()
        });
        let ends = asked
            .as_ref()
            .map(|asked| ends(asked, &settings.kafka.topic, &partitions));
        let ends = ends.and_then(Result::ok);
        // One that is not answered may have lost its way, too.
        client = asked.filter(|_| ends.is_some());
        if answers.send(ends).is_err() {
            return;
        }
    }
}

/// The ends of these partitions.
fn ends(client: &BaseConsumer<Quiet>, topic: &str, partitions: &[i32]) -> KafkaResult<Ends> {
    if partitions.is_empty() {
        return Ok(Ends::new());
    }
    // What it has to say of its own would pile up.
    while client.poll(Duration::ZERO).is_some() {}
    let mut asked = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        asked.add_partition_offset(topic, partition, Offset::End)?;
    }
    // The time that Kafka knows as the end.
    let told = client.offsets_for_times(asked, LIMIT)?;
    let ends = told.elements().into_iter().filter_map(|told| {
        told.error().ok()?;
        Some((told.partition(), told.offset().to_raw()?))
    });
    Ok(ends.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of partitions 0, 1, …
    fn ends<const N: usize>(ends: [i64; N]) -> Ends {
        (0..).zip(ends).collect()
    }

    #[test]
    fn a_partition_that_has_grown_and_is_not_read_shows_it() {
        let mut growth = Growth::default();
        assert!(!growth.look(ends([5, 7])), "the first look");
        assert!(!growth.look(ends([5, 8])), "a task that has just come");
        assert!(growth.look(ends([5, 8])), "it should have been read");
    }

    #[test]
    fn a_topic_that_was_made_anew_is_shorter_even_if_it_was_not_looked_at_meanwhile() {
        let mut growth = Growth::default();
        growth.look(ends([500]));
        growth.look(ends([]));
        growth.pause();
        assert!(growth.look(ends([2])));
        assert!(growth.look(ends([2])), "nobody else reads yet");
    }

    #[test]
    fn partitions_that_do_not_grow_show_nothing() {
        let mut growth = Growth::default();
        for _ in 0..9 {
            assert!(!growth.look(ends([5, 0])));
        }
    }

    #[test]
    fn a_partition_that_was_read_starts_anew() {
        let mut growth = Growth::default();
        growth.look(ends([5]));
        growth.look(ends([6]));
        assert!(!growth.look(ends([])), "read");
        assert!(!growth.look(ends([7])));
        assert!(!growth.look(ends([8])));
        assert!(growth.look(ends([9])));
    }
}
