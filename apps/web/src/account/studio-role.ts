import type { SessionUser } from '@showfloor/protocol';

/** Whether the studio is open to this person: sellers and admins. */
export function isStudioUser(user: Pick<SessionUser, 'role'> | null): boolean {
  return user !== null && (user.role === 'seller' || user.role === 'admin');
}
