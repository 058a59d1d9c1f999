#!/bin/sh
# A toy certification authority on the openssl program: an example of an external command (docs/authorities.md).
#
#   authority-openssl.sh DIRECTORY request|collect|revoke
#
# The first request makes the authority in DIRECTORY: its certificate is DIRECTORY/ca.pem, its list of revoked certificates
# DIRECTORY/ca.crl. An order gets one certificate, however often it is requested. DIRECTORY/log has a line for each call.
set -eu
umask 077

directory=$1
verb=$2

# The last line of standard error is what the administrator reads.
refuse() {
    echo "$1" >&2
    exit 65
}

make_authority() {
    cat > "$directory/ca.cnf" <<END
[ca]
default_ca = toy
[toy]
database = $directory/index.txt
new_certs_dir = $directory/issued
certificate = $directory/ca.pem
private_key = $directory/ca.key
rand_serial = yes
default_md = sha256
default_days = 365
default_crl_days = 7
unique_subject = no
policy = names
[names]
commonName = supplied
[req]
distinguished_name = subject
[subject]
END
    : > "$directory/index.txt"
    openssl req -x509 -newkey rsa:3072 -noenc -days 3650 -sha256 -subj "/O=Example/CN=Toy Authority" \
        -addext "basicConstraints=critical,CA:true" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -config "$directory/ca.cnf" -keyout "$directory/ca.key" -out "$directory/ca.new" 2> /dev/null
    mv "$directory/ca.new" "$directory/ca.pem"
}

# Issues the certificate of the order from the request in $1.
issue() {
    case $SEALGATE_MAILBOX in
        *[!A-Za-z0-9@._+-]*) refuse "$SEALGATE_MAILBOX has characters that this example does not certify" ;;
    esac
    openssl req -in "$1" -verify -noout 2> /dev/null || refuse "the request is not signed with its own key"
    usage=digitalSignature,keyAgreement
    if openssl req -in "$1" -noout -text | grep -q "rsaEncryption"; then
        usage=digitalSignature,keyEncipherment
    fi
    cat > "$1.ext" <<END
basicConstraints = critical, CA:false
keyUsage = critical, $usage
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = email:$SEALGATE_MAILBOX
END
    # A plus sign would begin a further attribute.
    name=$(echo "$SEALGATE_MAILBOX" | sed 's/+/\\+/g')
    openssl ca -batch -notext -config "$directory/ca.cnf" -subj "/CN=$name" -extfile "$1.ext" \
        -in "$1" -out "$1.pem" 2> "$1.err" || { tail -n 1 "$1.err" >&2; exit 1; }
    # Under its name only when it is whole: from now on the order has this certificate.
    mv "$1.pem" "$certificate"
    echo "issued $SEALGATE_ORDER" >> "$directory/log"
}

revoke() {
    work=$(mktemp "$directory/work.XXXXXX")
    trap 'rm -f "$work" "$work".*' EXIT
    cat > "$work"
    if ! openssl ca -config "$directory/ca.cnf" -revoke "$work" -crl_reason "$SEALGATE_REASON" 2> "$work.err"; then
        # It is revoked already: that is what was asked for.
        grep -q "Already revoked" "$work.err" || { tail -n 1 "$work.err" >&2; exit 1; }
    fi
    openssl ca -config "$directory/ca.cnf" -gencrl -out "$work.crl" 2> /dev/null
    mv "$work.crl" "$directory/ca.crl"
}

mkdir -p "$directory/issued" "$directory/orders"
# One at a time: the database of "openssl ca" is a text file.
exec 9> "$directory/lock"
flock 9
echo "$verb ${SEALGATE_ORDER:-$SEALGATE_SERIAL}" >> "$directory/log"
[ -e "$directory/ca.pem" ] || make_authority
if [ "$verb" = revoke ]; then
    revoke
    exit 0
fi
certificate=$directory/orders/$SEALGATE_ORDER.pem
if [ ! -e "$certificate" ]; then
    # Nobody requested it: "no such order".
    [ "$verb" = request ] || exit 66
    work=$(mktemp "$directory/work.XXXXXX")
    trap 'rm -f "$work" "$work".*' EXIT
    cat > "$work"
    issue "$work"
fi
cat "$certificate" "$directory/ca.pem"
