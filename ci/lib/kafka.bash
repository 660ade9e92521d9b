# shellcheck shell=bash
# A throw-away Apache Kafka broker (KRaft, one node): `prepare_kafka FOLDER PORT CERTIFICATES`, then
# `start_kafka FOLDER`. Plain on PORT, TLS on PORT + 1, its controller on PORT + 2; and plain again on
# PORT + 3 and following, for clients that come through the proxies on these ports of 127.0.0.1, if
# prepare_kafka was given some. With `doors` instead of a proxy it has three listeners more, on PORT + 3 and
# following: one that takes a password, one that does so over TLS, and one over TLS that demands nothing.

# Any 16 bytes in URL-safe base64 make a cluster's id; these read "webmon-tests-001".
cluster_id=d2VibW9uLXRlc3RzLTAwMQ

# The password of the user webmon, by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
# shellcheck disable=SC2034 # those who source this file use it
kafka_password='webmon tests'

# kafka_jars: the folder with the broker's jars.
kafka_jars() {
    if [[ -z ${KAFKA_HOME-} ]]; then
        cached_jars
    else
        compgen -G "$KAFKA_HOME/libs/kafka_2.13-*.jar" >/dev/null ||
            fail "KAFKA_HOME=$KAFKA_HOME has no libs/kafka_2.13-*.jar: name an installation of Apache Kafka 4.3, or unset it to let Maven fetch one"
        echo "$KAFKA_HOME/libs"
    fi
}

# cached_jars: the folder Maven filled, now or in an earlier run. It is named after what is in it,
# so that a change of pom.xml makes a new one.
cached_jars() {
    local pom version sum cache
    pom=$(dirname "${BASH_SOURCE[0]}")/../kafka/pom.xml
    version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$pom")
    sum=$(cksum "$pom" | cut -d ' ' -f 1)
    cache=${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/webmon/kafka-$version-$sum
    [[ -d $cache ]] || fetch_jars "$pom" "$cache"
    echo "$cache"
}

# fetch_jars POM FOLDER: resolves the jars, unless another run was faster while this one waited
# for it. The folder appears when it is complete.
fetch_jars() {
    local pom=$1 cache=$2 lock
    have mvn || fail "Maven is missing, which fetches Apache Kafka: run ci/install, or set KAFKA_HOME"
    mkdir -p "$(dirname "$cache")"
    exec {lock}>"$cache.lock"
    flock "$lock"
    [[ ! -d $cache ]] || return 0
    rm -rf "$cache.partial"
    say "fetching Apache Kafka with Maven into $cache (once)"
    mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$cache.partial" >&2 ||
        fail "Maven cannot fetch Apache Kafka (its reasons are above): it needs the network this once; or set KAFKA_HOME to an installation of Apache Kafka 4.3"
    mv -T "$cache.partial" "$cache"
}

# java_program: the java to run.
java_program() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    have "$java" || fail "$java is missing, which runs Apache Kafka: run ci/install"
    echo "$java"
}

# prepare_kafka FOLDER PORT CERTIFICATES [PROXY…]: configures and formats a broker.
prepare_kafka() {
    local folder=$1 jars java
    mkdir -p "$folder/tmp"
    jars=$(kafka_jars)
    java=$(java_program)
    broker_properties "$@" >"$folder/server.properties"
    local scram users=()
    for scram in SCRAM-SHA-256 SCRAM-SHA-512; do
        users+=(--add-scram "$scram=[name=webmon,password=\"$kafka_password\"]")
    done
    "$java" -XX:-UsePerfData -cp "$jars/*" kafka.tools.StorageTool format --standalone \
        --cluster-id "$cluster_id" --config "$folder/server.properties" "${users[@]}" >"$folder/kafka.log" 2>&1 ||
        fail_with_log "$folder/kafka.log" "cannot format a folder for Kafka"
}

# broker_properties FOLDER PORT CERTIFICATES [PROXY…]: the broker's configuration.
broker_properties() {
    local folder=$1 plain=$2 certificates=$3
    local tls=$((plain + 1)) controller=$((plain + 2)) behind=$((plain + 3)) proxy
    local listeners=PLAINTEXT://127.0.0.1:$plain,SSL://127.0.0.1:$tls
    local advertised=$listeners protocols=PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT
    for proxy in "${@:4}"; do
        if [[ $proxy == doors ]]; then
            listeners+=,SASL_PLAINTEXT://127.0.0.1:$behind,SASL_SSL://127.0.0.1:$((behind + 1)),OPEN://127.0.0.1:$((behind + 2))
            advertised=$listeners
            protocols+=,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,OPEN:SSL
            door_properties
            continue
        fi
        listeners+=,BEHIND_$proxy://127.0.0.1:$((behind++))
        advertised+=,BEHIND_$proxy://127.0.0.1:$proxy
        protocols+=,BEHIND_$proxy:PLAINTEXT
    done
    cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=$listeners,CONTROLLER://127.0.0.1:$controller
advertised.listeners=$advertised
listener.security.protocol.map=$protocols
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data

ssl.keystore.type=PEM
ssl.keystore.location=$certificates/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=$certificates/ca.pem
ssl.client.auth=required

auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
PROPERTIES
}

# door_properties: how the further listeners ask who somebody is.
door_properties() {
    local listener scram
    echo listener.name.open.ssl.client.auth=none
    echo sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
    # One mechanism less, for what a client is told that asks for it.
    echo listener.name.sasl_plaintext.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
    for listener in sasl_plaintext sasl_ssl; do
        echo "listener.name.$listener.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_webmon=\"$kafka_password\";"
        for scram in 256 512; do
            echo "listener.name.$listener.scram-sha-$scram.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
        done
    done
}

# start_kafka FOLDER: starts the broker in the background; $! is its process.
start_kafka() {
    spawn become_kafka "$1"
}

# become_kafka FOLDER: becomes the broker.
# Nothing of the JVM goes to /tmp, and should its parent be killed, the kernel ends the broker.
become_kafka() {
    local folder=$1 jars java
    jars=$(kafka_jars)
    java=$(java_program)
    exec setpriv --pdeathsig=KILL "$java" -Xmx512m -XX:+UseSerialGC -XX:-UsePerfData \
        -Djava.io.tmpdir="$folder/tmp" -cp "$jars/*" kafka.Kafka "$folder/server.properties" \
        >>"$folder/kafka.log" 2>&1
}

# kafka_answers PORT: whether the broker knows of a broker that is up, and listens for TLS.
kafka_answers() {
    [[ $(metadata_answer "$1" 2>/dev/null) == *" 00 00 00 01" ]] && listening $(($1 + 1))
}

# metadata_answer PORT: the first 12 bytes of the answer to a Metadata request (version 1) of no
# topics: its size, its correlation id, and the number of brokers that are up.
metadata_answer() {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return
    printf '\0\0\0\x0e\0\3\0\1\0\0\0\1\xff\xff\0\0\0\0' >&3
    timeout 2 head -c 12 <&3 | od -An -v -tx1 -w12
}
