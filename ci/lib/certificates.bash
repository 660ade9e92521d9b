# shellcheck shell=bash
# Certificates for a broker that demands one from its clients: `make_certificates FOLDER`.
#
#   ca.pem                     the authority that the broker and its clients trust
#   service.cert, service.key  a client's certificate and key
#   locked.key                 the client's key, encrypted by the password "locked by a password"
#   server.pem                 the broker's key and chain, in the order Kafka wants them
#   other-ca.pem, -ca.key      an authority that signed nothing here, for what must be refused
#   expired.cert, expired.key  a client's certificate whose time is over, for the same

# make_certificates FOLDER: makes all of them, valid for two days but for the one that has expired.
make_certificates() {
    local folder=$1
    have openssl || fail "openssl is missing: run ci/install"
    mkdir -p "$folder"
    write_profiles "$folder/profiles.cnf"
    make_authority "$folder" ca "webmon tests"
    make_authority "$folder" other-ca "a stranger"
    make_certificate "$folder" service client "webmon" 2
    openssl_quietly "$folder" pkcs8 -topk8 -in "$folder/service.key" -out "$folder/locked.key" \
        -passout "pass:locked by a password"
    make_certificate "$folder" expired client "webmon" -1
    make_certificate "$folder" server server "127.0.0.1" 2
    cat "$folder"/{server.key,server.cert,ca.pem} >"$folder/server.pem"
}

# write_profiles FILE: what each kind of certificate is good for.
write_profiles() {
    cat >"$1" <<'PROFILES'
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
PROFILES
}

# make_authority FOLDER FILE NAME: a certificate that signs itself.
make_authority() {
    openssl_quietly "$1" req -x509 -config "$1/profiles.cnf" -extensions authority -days 2 \
        -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
        -keyout "$1/$2.key" -out "$1/$2.pem"
}

# make_certificate FOLDER FILE PROFILE NAME DAYS: a certificate signed by ca.pem, valid so long from now.
make_certificate() {
    openssl_quietly "$1" req -new -config "$1/profiles.cnf" \
        -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$4" \
        -keyout "$1/$2.key" -out "$1/$2.csr"
    openssl_quietly "$1" x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" \
        -CAcreateserial -days "$5" -extfile "$1/profiles.cnf" -extensions "$3" -out "$1/$2.cert"
}

# openssl_quietly FOLDER ARGUMENT…: openssl writes to standard error also when all is well.
openssl_quietly() {
    local log=$1/openssl.log
    shift
    openssl "$@" >"$log" 2>&1 || fail_with_log "$log" "openssl $1 failed"
}
