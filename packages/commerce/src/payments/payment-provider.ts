/** A payment as a provider knows it. `unknown`: it has never heard of it. */
export type ChargeState = 'succeeded' | 'declined' | 'cancelled' | 'refunded' | 'unknown';

export type ChargeRequest = {
  /** Our payment's id; charging it again returns the first outcome. */
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** Understood by the provider only: a card number of the `test` provider, a token elsewhere. Never stored or logged. */
  readonly method: string;
};

/**
 * A company elsewhere that takes the money. Every call may take long, fail, or have worked although it failed; every call
 * may be repeated.
 */
export type PaymentProvider = {
  readonly name: string;
  readonly charge: (request: ChargeRequest, signal: AbortSignal) => Promise<ChargeState>;
  readonly lookUp: (paymentId: string, signal: AbortSignal) => Promise<ChargeState>;
  /** Makes sure that a payment nobody has charged yet never will be. Resolves with what it is after that. */
  readonly cancel: (paymentId: string, signal: AbortSignal) => Promise<ChargeState>;
  /** Gives everything back. Resolves with `refunded`, or with what it is when there is nothing to give back. */
  readonly refund: (paymentId: string, signal: AbortSignal) => Promise<ChargeState>;
  readonly close: () => Promise<void>;
};
