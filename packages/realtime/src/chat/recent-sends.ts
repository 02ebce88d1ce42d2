import { BoundedMap } from '../bounded-map.ts';

const USERS_MAX = 10_000;
/** More than a user may send in half a minute: a client that resends does so within seconds. */
const SENDS_PER_USER_MAX = 64;

/**
 * What each user sent lately, by the sender's own message id: sending again answers with the first result instead of
 * posting twice. A result is remembered from the moment the message is taken, so that two copies in flight meet here.
 */
export class RecentSends<T> {
  readonly #users = new BoundedMap<string, BoundedMap<string, T>>(USERS_MAX);

  find(userId: string, clientId: string): T | undefined {
    return this.#users.get(userId)?.get(clientId);
  }

  remember(userId: string, clientId: string, result: T): void {
    let sends = this.#users.get(userId);
    if (sends === undefined) {
      sends = new BoundedMap<string, T>(SENDS_PER_USER_MAX);
      this.#users.set(userId, sends);
    }
    sends.set(clientId, result);
  }
}
