import { importPKCS8, importSPKI, type JWTPayload, jwtVerify, SignJWT } from 'jose';

/** One algorithm everywhere (bar S4): EdDSA over Ed25519. */
const ALGORITHM = 'EdDSA';
const ISSUER = 'showfloor';

/** What a kind of token is for: checked on the way in, so that one kind never passes for another. */
export type TokenKind = { readonly typ: string; readonly audience: string };

export type TokenSigner = (
  kind: TokenKind,
  claims: JWTPayload & { readonly sub: string },
  lifeSeconds: number,
) => Promise<string>;

/** Resolves with the claims, or null when the token is not valid now (wrong signature, kind, audience, or expired). */
export type TokenVerifier = (kind: TokenKind, token: string) => Promise<JWTPayload | null>;

/** Signer for the commerce plane, from the PKCS#8 PEM of its private key. */
export async function createTokenSigner(privateKeyPem: string): Promise<TokenSigner> {
  const key = await importPKCS8(privateKeyPem, ALGORITHM);
  return (kind, claims, lifeSeconds) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: kind.typ })
      .setIssuer(ISSUER)
      .setAudience(kind.audience)
      .setIssuedAt()
      .setExpirationTime(`${lifeSeconds}s`)
      .sign(key);
}

/** Verifier for any plane, from the SPKI PEM of the public key. */
export async function createTokenVerifier(publicKeyPem: string): Promise<TokenVerifier> {
  const key = await importSPKI(publicKeyPem, ALGORITHM);
  return async (kind, token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: kind.audience,
        typ: kind.typ,
        requiredClaims: ['sub', 'exp'],
      });
      return payload;
    } catch {
      return null; // expected: whoever asks answers 401
    }
  };
}
