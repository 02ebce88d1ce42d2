import * as accounts from './0001-accounts.ts';
import * as shows from './0002-shows-and-catalog.ts';
import * as stock from './0003-stock-and-carts.ts';
import * as orders from './0004-orders-and-payments.ts';
import * as outbox from './0005-outbox.ts';
import * as publisherCuts from './0006-publisher-cuts.ts';
import * as paymentChecks from './0007-payment-checks.ts';
import * as idleGuests from './0008-idle-guests.ts';
import * as restreamTargets from './0009-restream-targets.ts';
import * as publisherRefusals from './0010-publisher-refusals.ts';

/** In order. A migration that was released is never edited: a change is a new one. */
export const MIGRATIONS = {
  '0001-accounts': accounts,
  '0002-shows-and-catalog': shows,
  '0003-stock-and-carts': stock,
  '0004-orders-and-payments': orders,
  '0005-outbox': outbox,
  '0006-publisher-cuts': publisherCuts,
  '0007-payment-checks': paymentChecks,
  '0008-idle-guests': idleGuests,
  '0009-restream-targets': restreamTargets,
  '0010-publisher-refusals': publisherRefusals,
} as const;
