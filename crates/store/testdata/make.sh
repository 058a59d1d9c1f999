#!/bin/sh
# Makes the certificates and keys of this directory anew: one mailbox with separate pairs for signing and encryption.
# Needs openssl 3. Keys are P-256 and are used by tests only.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in sign:digitalSignature encrypt:keyAgreement; do
  file=alice-${name%%:*}
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key" -subj "/CN=$file" -days 9000 \
    -addext "keyUsage=critical,${name##*:}" -addext extendedKeyUsage=emailProtection \
    -addext basicConstraints=critical,CA:false -addext subjectAltName=email:alice@example.com -outform DER -out "$file.der"
  openssl pkcs8 -topk8 -nocrypt -in "$work/key" -outform DER -out "$file.p8"
done
# Two certificates of one issuer with one serial number and different keys (row X6).
for name in one two; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key" -subj /CN=twin -set_serial 4711 \
    -days 9000 -addext keyUsage=critical,digitalSignature,keyAgreement -addext extendedKeyUsage=emailProtection \
    -addext basicConstraints=critical,CA:false -addext subjectAltName=email:twin@partner.example -outform DER -out "twin-$name.der"
  openssl pkcs8 -topk8 -nocrypt -in "$work/key" -outform DER -out "twin-$name.p8"
done
