import type { Role } from '@showfloor/protocol';

/** Who a connection speaks for. `null` in its place: an anonymous viewer, who may join, count and read. */
export type Identity = {
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
  /** When commerce vouched for this user (its room token was verified): revocation compares with it. */
  readonly vouchedAtMs: number;
};
