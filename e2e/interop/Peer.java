import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyAgreeRecipientIdentifier;
import org.bouncycastle.asn1.cms.KeyAgreeRecipientInfo;
import org.bouncycastle.asn1.cms.OriginatorIdentifierOrKey;
import org.bouncycastle.asn1.cms.OriginatorPublicKey;
import org.bouncycastle.asn1.cms.RecipientEncryptedKey;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedDataStreamGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.CMSSignedDataStreamGenerator;
import org.bouncycastle.cms.CMSTypedData;
import org.bouncycastle.cms.KeyAgreeRecipient;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientOperator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.jcajce.interfaces.XDHPrivateKey;
import org.bouncycastle.jcajce.io.CipherInputStream;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.InputDecryptor;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.CollectionStore;

/**
 * Bouncy Castle as a peer of the interop matrix. One request a line, words between tabs, octets in base64:
 * {@code sign}, {@code verify}, {@code encrypt} or {@code decrypt}. The answer is one line: {@code ok} and the octets, or
 * {@code no} and the reason. The one argument is a directory with {@code ca.pem}, and {@code NAME.pem}, {@code NAME.key}
 * for each key.
 */
public final class Peer {
    private static final Provider PROVIDER = new BouncyCastleProvider();

    private final Path directory;
    private final X509Certificate root;
    private final Map<String, X509Certificate> certificates = new HashMap<>();
    private final Map<String, PrivateKey> keys = new HashMap<>();

    private Peer(Path directory) throws Exception {
        this.directory = directory;
        this.root = certificate("ca");
    }

    public static void main(String[] arguments) throws Exception {
        Peer peer = new Peer(Path.of(arguments[0]));
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            System.out.println(peer.answer(line.split("\t", -1)));
        }
    }

    private String answer(String[] words) {
        try {
            return "ok\t" + Base64.getEncoder().encodeToString(carryOut(words));
        } catch (Exception | LinkageError error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return "no\t" + cause.toString().replaceAll("\\s+", " ");
        }
    }

    private byte[] carryOut(String[] words) throws Exception {
        byte[] octets = Base64.getDecoder().decode(words[words.length - 1]);
        switch (words[0]) {
            case "sign":
                return sign(words[1], words[2], words[3].equals("opaque"), words[4].equals("der"), octets);
            case "verify":
                byte[] detached = words[1].isEmpty() ? null : Base64.getDecoder().decode(words[1]);
                return verify(detached, octets);
            case "encrypt":
                return encrypt(words[1], words[2], words[3], words[4], words[5].equals("der"), octets);
            case "decrypt":
                return decrypt(words[1], octets);
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private byte[] sign(String name, String algorithm, boolean opaque, boolean der, byte[] content) throws Exception {
        var calculators = new JcaDigestCalculatorProviderBuilder().setProvider(PROVIDER).build();
        var signer = new JcaContentSignerBuilder(algorithm).setProvider(PROVIDER).build(key(name));
        var info = new JcaSignerInfoGeneratorBuilder(calculators).build(signer, certificate(name));
        var chain = new CollectionStore<>(List.of(new X509CertificateHolder(certificate(name).getEncoded())));
        if (der) {
            var generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(info);
            generator.addCertificates(chain);
            var signed = generator.generate(new CMSProcessableByteArray(content), opaque);
            return der(signed.toASN1Structure());
        }
        var generator = new CMSSignedDataStreamGenerator();
        generator.addSignerInfoGenerator(info);
        generator.addCertificates(chain);
        var out = new ByteArrayOutputStream();
        try (OutputStream inside = generator.open(out, opaque)) {
            inside.write(content);
        }
        return out.toByteArray();
    }

    @SuppressWarnings("unchecked")
    private byte[] verify(byte[] detached, byte[] cms) throws Exception {
        CMSSignedData signed = detached == null
                ? new CMSSignedData(cms)
                : new CMSSignedData(new CMSProcessableByteArray(detached), cms);
        if (signed.getSignerInfos().size() == 0) {
            throw new IllegalArgumentException("no signer");
        }
        for (SignerInformation signer : signed.getSignerInfos()) {
            var found = signed.getCertificates().getMatches(signer.getSID());
            var holder = (X509CertificateHolder) found.iterator().next();
            new JcaX509CertificateConverter().setProvider(PROVIDER).getCertificate(holder).verify(root.getPublicKey());
            var verifier = new JcaSimpleSignerInfoVerifierBuilder().setProvider(PROVIDER).build(holder);
            if (!signer.verify(verifier)) {
                throw new IllegalArgumentException("the signature does not hold");
            }
        }
        return detached == null ? (byte[]) signed.getSignedContent().getContent() : detached;
    }

    private byte[] encrypt(String name, String scheme, String cipher, String wrap, boolean der, byte[] content)
            throws Exception {
        RecipientInfoGenerator recipient = recipient(name, scheme, wrap);
        CMSTypedData typed = new CMSProcessableByteArray(content);
        OutputEncryptor encryptor =
                new JceCMSContentEncryptorBuilder(new ASN1ObjectIdentifier(cipher)).setProvider(PROVIDER).build();
        if (encryptor instanceof OutputAEADEncryptor) {
            var generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            CMSAuthEnvelopedData made = generator.generate(typed, (OutputAEADEncryptor) encryptor);
            return der ? der(made.toASN1Structure()) : made.getEncoded();
        }
        if (der) {
            var generator = new CMSEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            return der(generator.generate(typed, encryptor).toASN1Structure());
        }
        var generator = new CMSEnvelopedDataStreamGenerator();
        generator.addRecipientInfoGenerator(recipient);
        var out = new ByteArrayOutputStream();
        try (OutputStream inside = generator.open(out, encryptor)) {
            inside.write(content);
        }
        return out.toByteArray();
    }

    /** {@code scheme} is {@code pkcs1}, {@code oaep:DIGEST:MASK} with names such as SHA-256, or {@code agree:OID}. */
    private RecipientInfoGenerator recipient(String name, String scheme, String wrap) throws Exception {
        X509Certificate certificate = certificate(name);
        String[] parts = scheme.split(":");
        switch (parts[0]) {
            case "pkcs1":
                return new JceKeyTransRecipientInfoGenerator(certificate).setProvider(PROVIDER);
            case "oaep":
                var oaep = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, oaep(parts[1], parts[2]));
                return new JceKeyTransRecipientInfoGenerator(certificate, oaep).setProvider(PROVIDER);
            default:
                if (X25519.DIGESTS.containsKey(parts[1])) {
                    return X25519.recipient(certificate, parts[1], wrap);
                }
                KeyPair ephemeral = ephemeral(certificate);
                var agreement = new ASN1ObjectIdentifier(parts[1]);
                var wrapping = new ASN1ObjectIdentifier(wrap);
                return new JceKeyAgreeRecipientInfoGenerator(
                                agreement, ephemeral.getPrivate(), ephemeral.getPublic(), wrapping)
                        .addRecipient(certificate)
                        .setProvider(PROVIDER);
        }
    }

    private static ASN1Encodable oaep(String digest, String mask) {
        var finder = new DefaultDigestAlgorithmIdentifierFinder();
        var hash = new AlgorithmIdentifier(finder.find(digest).getAlgorithm(), DERNull.INSTANCE);
        var masked = new AlgorithmIdentifier(finder.find(mask).getAlgorithm(), DERNull.INSTANCE);
        var generation = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, masked);
        return new RSAESOAEPparams(hash, generation, RSAESOAEPparams.DEFAULT_P_SOURCE_ALGORITHM);
    }

    private static KeyPair ephemeral(X509Certificate certificate) throws Exception {
        if (certificate.getPublicKey() instanceof ECPublicKey) {
            var generator = KeyPairGenerator.getInstance("EC", PROVIDER);
            generator.initialize(((ECPublicKey) certificate.getPublicKey()).getParams());
            return generator.generateKeyPair();
        }
        return KeyPairGenerator.getInstance(certificate.getPublicKey().getAlgorithm(), PROVIDER).generateKeyPair();
    }

    private byte[] decrypt(String name, byte[] cms) throws Exception {
        ContentInfo outer = ContentInfo.getInstance(cms);
        boolean authenticated = outer.getContentType().equals(PKCSObjectIdentifiers.id_ct_authEnvelopedData);
        var recipients = authenticated
                ? new CMSAuthEnvelopedData(cms).getRecipientInfos()
                : new CMSEnvelopedData(cms).getRecipientInfos();
        RecipientInformation recipient = recipients.iterator().next();
        PrivateKey key = key(name);
        Recipient opener;
        if (key instanceof XDHPrivateKey) {
            opener = new X25519(key);
        } else if (!(key instanceof RSAKey)) {
            opener = new JceKeyAgreeEnvelopedRecipient(key).setProvider(PROVIDER);
        } else if (authenticated) {
            opener = new JceKeyTransAuthEnvelopedRecipient(key).setProvider(PROVIDER);
        } else {
            opener = new JceKeyTransEnvelopedRecipient(key).setProvider(PROVIDER);
        }
        return recipient.getContent(opener);
    }

    private static byte[] der(ContentInfo info) throws Exception {
        return info.getEncoded(ASN1Encoding.DER);
    }

    private X509Certificate certificate(String name) throws Exception {
        if (!certificates.containsKey(name)) {
            var holder = (X509CertificateHolder) pem(name + ".pem");
            certificates.put(name, new JcaX509CertificateConverter().setProvider(PROVIDER).getCertificate(holder));
        }
        return certificates.get(name);
    }

    private PrivateKey key(String name) throws Exception {
        if (!keys.containsKey(name)) {
            var info = (PrivateKeyInfo) pem(name + ".key");
            keys.put(name, new JcaPEMKeyConverter().setProvider(PROVIDER).getPrivateKey(info));
        }
        return keys.get(name);
    }

    private Object pem(String file) throws Exception {
        try (var parser = new PEMParser(Files.newBufferedReader(directory.resolve(file)))) {
            return parser.readObject();
        }
    }

    /**
     * Key agreement with X25519 and HKDF, which the library has no RecipientInfo for: put together from its parts as
     * RFC 8418 section 2.2 and RFC 5753 section 7.2 say, without user keying material.
     */
    private static final class X25519 implements KeyAgreeRecipient {
        static final Map<String, Digest> DIGESTS = Map.of(
                "1.2.840.113549.1.9.16.3.19", new SHA256Digest(),
                "1.2.840.113549.1.9.16.3.20", new SHA384Digest(),
                "1.2.840.113549.1.9.16.3.21", new SHA512Digest());
        private static final AlgorithmIdentifier ALGORITHM =
                new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.3.101.110"));

        private final PrivateKey own;

        X25519(PrivateKey own) {
            this.own = own;
        }

        static RecipientInfoGenerator recipient(X509Certificate certificate, String scheme, String wrap)
                throws Exception {
            var holder = new X509CertificateHolder(certificate.getEncoded());
            KeyPair ephemeral = KeyPairGenerator.getInstance("X25519", PROVIDER).generateKeyPair();
            var point = SubjectPublicKeyInfo.getInstance(ephemeral.getPublic().getEncoded()).getPublicKeyData();
            var wrapping = new AlgorithmIdentifier(new ASN1ObjectIdentifier(wrap));
            Cipher cipher = Cipher.getInstance(wrap, PROVIDER);
            Key kek = wrappingKey(ephemeral.getPrivate(), certificate.getPublicKey(), scheme, wrapping);
            cipher.init(Cipher.WRAP_MODE, kek);
            return contentKey -> {
                try {
                    var raw = contentKey.getRepresentation();
                    var key = raw instanceof Key ? (Key) raw : new SecretKeySpec((byte[]) raw, "AES");
                    var id = new KeyAgreeRecipientIdentifier(
                            new IssuerAndSerialNumber(holder.getIssuer(), holder.getSerialNumber()));
                    var encrypted = new RecipientEncryptedKey(id, new DEROctetString(cipher.wrap(key)));
                    var originator = new OriginatorPublicKey(ALGORITHM, point.getBytes());
                    return new RecipientInfo(new KeyAgreeRecipientInfo(
                            new OriginatorIdentifierOrKey(originator),
                            null,
                            new AlgorithmIdentifier(new ASN1ObjectIdentifier(scheme), wrapping),
                            new DERSequence(encrypted)));
                } catch (GeneralSecurityException error) {
                    throw new CMSException("wrapping", error);
                }
            };
        }

        private static Key wrappingKey(Key own, Key other, String scheme, AlgorithmIdentifier wrapping)
                throws Exception {
            var agreement = KeyAgreement.getInstance("X25519", PROVIDER);
            agreement.init(own);
            agreement.doPhase(other, true);
            int bits = Map.of("5", 128, "25", 192, "45", 256)
                    .get(wrapping.getAlgorithm().getId().replace("2.16.840.1.101.3.4.1.", ""));
            byte[] length = {0, 0, (byte) (bits >> 8), (byte) bits};
            byte[] information = new DERSequence(new ASN1Encodable[] {
                wrapping, new DERTaggedObject(true, 2, new DEROctetString(length))
            }).getEncoded(ASN1Encoding.DER);
            var derivation = new HKDFBytesGenerator(DIGESTS.get(scheme));
            derivation.init(new HKDFParameters(agreement.generateSecret(), null, information));
            byte[] key = new byte[bits / 8];
            derivation.generateBytes(key, 0, key.length);
            return new SecretKeySpec(key, "AES");
        }

        @Override
        public RecipientOperator getRecipientOperator(
                AlgorithmIdentifier agreement,
                AlgorithmIdentifier content,
                SubjectPublicKeyInfo sender,
                ASN1OctetString material,
                byte[] encryptedKey)
                throws CMSException {
            try {
                var wrapping = AlgorithmIdentifier.getInstance(agreement.getParameters());
                var spki = new SubjectPublicKeyInfo(ALGORITHM, sender.getPublicKeyData().getBytes());
                var other = KeyFactory.getInstance("X25519", PROVIDER)
                        .generatePublic(new X509EncodedKeySpec(spki.getEncoded()));
                Cipher unwrapping = Cipher.getInstance(wrapping.getAlgorithm().getId(), PROVIDER);
                unwrapping.init(
                        Cipher.UNWRAP_MODE, wrappingKey(own, other, agreement.getAlgorithm().getId(), wrapping));
                Key key = unwrapping.unwrap(encryptedKey, "AES", Cipher.SECRET_KEY);
                var parameters = AlgorithmParameters.getInstance(content.getAlgorithm().getId(), PROVIDER);
                parameters.init(content.getParameters().toASN1Primitive().getEncoded());
                Cipher cipher = Cipher.getInstance(content.getAlgorithm().getId(), PROVIDER);
                cipher.init(Cipher.DECRYPT_MODE, key, parameters);
                return new RecipientOperator(decryptor(content, cipher));
            } catch (Exception error) {
                throw new CMSException("unwrapping", error);
            }
        }

        private static InputDecryptor decryptor(AlgorithmIdentifier content, Cipher cipher) {
            return new InputDecryptor() {
                @Override
                public AlgorithmIdentifier getAlgorithmIdentifier() {
                    return content;
                }

                @Override
                public InputStream getInputStream(InputStream encrypted) {
                    return new CipherInputStream(encrypted, cipher);
                }
            };
        }

        @Override
        public AlgorithmIdentifier getPrivateKeyAlgorithmIdentifier() {
            return ALGORITHM;
        }
    }
}
