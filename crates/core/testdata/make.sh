#!/bin/sh
# Makes the certificates and keys of this directory anew: two authorities, one of ours, one partner with several.
# Needs openssl 3. Keys are P-256, one RSA, and are used by tests only.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ca.cnf" <<CNF
[ca]
default_ca = c
[c]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = p
unique_subject = no
email_in_dn = no
[p]
commonName = supplied
[req]
distinguished_name = d
[d]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[both]
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = email:\${ENV::MAIL}
[sign]
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
subjectAltName = email:\${ENV::MAIL}
[encrypt]
keyUsage = critical, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = email:\${ENV::MAIL}
[crl]
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = email:\${ENV::MAIL}
crlDistributionPoints = URI:http://crl.partner.example/1.crl
CNF
: >"$work/index"
export MAIL=none@none.example

key() { openssl ecparam -genkey -name prime256v1 -noout | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$1.p8"; }

# name
root() {
  key "$work/$1"
  openssl pkcs8 -inform DER -in "$work/$1.p8" -out "$work/$1.key" -nocrypt
  openssl req -new -key "$work/$1.key" -config "$work/ca.cnf" -subj "/CN=$1" -out "$work/$1.csr"
  openssl ca -batch -notext -config "$work/ca.cnf" -selfsign -keyfile "$work/$1.key" -in "$work/$1.csr" \
    -startdate 20240101000000Z -enddate 20440101000000Z -extensions root -out "$work/$1.pem" 2>/dev/null
  openssl x509 -in "$work/$1.pem" -outform DER -out "$1.der"
}

# name authority address start end extensions
leaf() {
  MAIL=$3; export MAIL
  key "$1"
  openssl pkcs8 -inform DER -in "$1.p8" -out "$work/leaf.key" -nocrypt
  openssl req -new -key "$work/leaf.key" -config "$work/ca.cnf" -subj "/CN=$1" -out "$work/leaf.csr"
  openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/$2.key" -cert "$work/$2.pem" -in "$work/leaf.csr" \
    -startdate "$4" -enddate "$5" -extensions "$6" -out "$work/leaf.pem" 2>/dev/null
  openssl x509 -in "$work/leaf.pem" -outform DER -out "$1.der"
}

root root-one
root root-two
leaf us root-one us@we.example 20250101000000Z 20350101000000Z both
leaf alice root-one alice@partner.example 20250101000000Z 20350101000000Z both
leaf alice-newer root-one alice@partner.example 20260101000000Z 20360101000000Z both
leaf alice-expired root-one alice@partner.example 20240101000000Z 20250101000000Z both
leaf alice-other-issuer root-two alice@partner.example 20260601000000Z 20360101000000Z both
leaf alice-crl root-one alice@partner.example 20250601000000Z 20350101000000Z crl
leaf alice-sign root-one alice@partner.example 20250101000000Z 20350101000000Z sign
leaf alice-encrypt root-one alice@partner.example 20250101000000Z 20350101000000Z encrypt
leaf bob root-one bob@partner.example 20250101000000Z 20350101000000Z both
# One with an RSA key, which has two ways to sign.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -subj /CN=us-rsa -days 3650 \
  -addext keyUsage=critical,digitalSignature,keyEncipherment -addext extendedKeyUsage=emailProtection \
  -addext basicConstraints=critical,CA:false -addext subjectAltName=email:us@we.example -outform DER -out us-rsa.der
openssl pkcs8 -topk8 -nocrypt -in "$work/key" -outform DER -out us-rsa.p8
# Private keys that no test uses are not kept.
rm -f alice-newer.p8 alice-expired.p8 alice-other-issuer.p8 alice-crl.p8 alice-sign.p8 alice-encrypt.p8
