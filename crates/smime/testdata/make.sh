#!/bin/sh
# Makes the test vectors of this directory anew (OpenSSL 3.0 or later). All keys are for tests only.
# The committed tests read the results and never need this script.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.eml ./*.key

certificate() { # name, key options, extra extension lines
    name=$1 key=$2
    openssl genpkey $key -out "$name.key" 2>/dev/null
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "subjectKeyIdentifier=hash"
        echo "authorityKeyIdentifier=keyid"
        echo "extendedKeyUsage=emailProtection"
        printf '%b' "$3"
    } >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA root.pem -CAkey root.key -days 9000 -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    rm "$name.csr" "$name.ext"
}

P256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
P384="-algorithm EC -pkeyopt ec_paramgen_curve:P-384"
RSA="-algorithm RSA -pkeyopt rsa_keygen_bits:2048"

openssl genpkey $P256 -out root.key 2>/dev/null
openssl req -x509 -new -key root.key -subj "/CN=Sealgate test root" -days 9000 -out root.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
BOTH="keyUsage=critical,digitalSignature,keyEncipherment\n"
AGREE="keyUsage=critical,digitalSignature,keyAgreement\n"
certificate alice "$RSA" "${BOTH}subjectAltName=email:alice@example.com\n"
certificate bob "$P256" "${AGREE}subjectAltName=email:bob@example.com\n"
certificate carol "$P384" "${AGREE}subjectAltName=email:carol@example.com\n"
certificate noaddress "$P256" "$AGREE"
certificate revocable "$P256" "${AGREE}subjectAltName=email:alice@example.com\ncrlDistributionPoints=URI:http://crl.example.com/c\n"

printf 'Content-Type: text/plain; charset=us-ascii\r\n\r\nThe quick brown fox.\r\nSecond line.\r\n' >entity

mail() { # output file, sender, command line of openssl cms
    out=$1 from=$2
    shift 2
    { printf 'From: %s@example.com\r\nTo: bob@example.com\r\nSubject: test\r\n' "$from"
      openssl cms "$@" | sed 's/\r$//; s/$/\r/'; } >"$out.eml"
}
sign() { mail "$1" alice -sign -in entity -crlfeol -signer "$2.pem" -inkey "$2.key" -md "${3:-sha256}" $4; }

sign clear-rsa alice sha256 ""
sign clear-bob bob sha256 ""
sign clear-carol carol sha384 ""
sign clear-noaddress noaddress sha256 ""
sign clear-revocable revocable sha256 ""
sign clear-sha1 alice sha1 ""
sign clear-noattr alice sha256 -noattr
sign clear-keyid alice sha256 -keyid
sign clear-nocerts alice sha256 -nocerts
sign clear-cades alice sha256 -cades
sign clear-cades-sha1 alice sha1 -cades
sign opaque-der alice sha256 -nodetach
sign opaque-stream alice sha512 "-nodetach -stream"
mail clear-two alice -sign -in entity -crlfeol -signer alice.pem -inkey alice.key -signer bob.pem -inkey bob.key
mail clear-pss alice -sign -in entity -crlfeol -signer alice.pem -inkey alice.key -md sha256 -keyopt rsa_padding_mode:pss
{ printf 'From: alice@example.com\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c\r\nContent-Transfer-Encoding: base64\r\n\r\n'
  openssl crl2pkcs7 -nocrl -certfile alice.pem -certfile root.pem -outform DER | base64 | sed 's/$/\r/'; } >certs-only.eml

encrypt() { out=$1; shift; mail "$out" alice -encrypt -in entity -crlfeol "$@"; }
encrypt enveloped-rsa-der -aes256 alice.pem
encrypt enveloped-rsa-stream -aes128 -stream alice.pem
encrypt enveloped-rsa-keyid -aes192 -keyid alice.pem
encrypt enveloped-oaep -aes256 -recip alice.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
encrypt enveloped-p256-der -aes256 bob.pem
encrypt enveloped-p256-stream -aes256 -stream bob.pem
encrypt enveloped-p256-sha256 -aes256 -recip bob.pem -keyopt ecdh_kdf_md:sha256
encrypt enveloped-p384 -aes128 carol.pem
encrypt enveloped-two -aes256 bob.pem alice.pem
encrypt enveloped-nomime -aes256 -in root.key alice.pem
encrypt authenveloped-rsa -aes-256-gcm alice.pem
encrypt authenveloped-p256 -aes-128-gcm -stream bob.pem
encrypt enveloped-3des-rsa -des3 alice.pem
encrypt enveloped-3des-p256 -des3 -recip bob.pem
rm -f root.key
