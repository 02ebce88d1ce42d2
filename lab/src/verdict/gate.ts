/**
 * The readiness gate: ten mandatory criteria and seven advisories (strategy, 5.1 and 5.2), as data. Criteria of scenarios
 * name the line they are evidence for; one run is evidence for some of the lines only.
 */

/** M1 to M10: mandatory; A1 to A7: advisory. */
export type GateId = `M${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}` | `A${1 | 2 | 3 | 4 | 5 | 6 | 7}`;

/** The scenario that the strategy names for a line; `all`: every one. */
export type GateTest = 'ramp' | 'spike' | 'soak' | 'recovery' | 'all';

/** One line of the gate. */
export type GateLine = {
  readonly id: GateId;
  readonly title: string;
  readonly test: GateTest;
  /** Section of the strategy and row of `docs/requirements.md`. */
  readonly source: string;
  readonly isMandatory: boolean;
};

/** All lines, in the order of the document. */
export const GATE: readonly GateLine[] = [
  mandatory('M1', 'All viewers stay for the whole hold, without a connection error', 'ramp', '5.1 #1, T-199'),
  mandatory('M2', 'CPU never exceeds 75 %', 'ramp', '5.1 #2, T-200'),
  mandatory('M3', 'Memory stable over six hours, swap 0', 'soak', '5.1 #3, T-201'),
  mandatory('M4', 'Stalled less than 1 %', 'all', '5.1 #4, T-202'),
  mandatory('M5', 'New viewers get a picture: over 99 %', 'spike', '5.1 #5, T-203'),
  mandatory('M6', 'HLS delay at most 8 s on average', 'ramp', '5.1 #6, T-204'),
  mandatory('M7', 'HTTP-FLV delay below 3 s', 'ramp', '5.1 #7, T-205'),
  mandatory('M8', 'Back within 5 s after a network failure', 'recovery', '5.1 #8, T-206'),
  mandatory('M9', 'API errors below 1 %', 'all', '5.1 #9, T-207'),
  mandatory('M10', 'API answers below 500 ms, p95', 'ramp', '5.1 #10, T-208'),
  advisory('A1', 'Redis evicts nothing', 'ramp', '5.2 A1, T-210'),
  advisory('A2', 'PostgreSQL cache hit ratio over 95 %', 'soak', '5.2 A2, T-211'),
  advisory('A3', 'No frame dropped while steady', 'all', '5.2 A3, T-212'),
  advisory('A4', 'Room count equals viewers, ± 5 %', 'all', '5.2 A4, T-213'),
  advisory('A5', 'Chat delivered in less than 200 ms', 'ramp', '5.2 A5, T-214'),
  advisory('A6', 'Stream back within 10 s after the publisher', 'recovery', '5.2 A6, T-215'),
  advisory('A7', 'No PostgreSQL deadlock', 'soak', '5.2 A7, T-216'),
];

function mandatory(id: GateId, title: string, test: GateTest, source: string): GateLine {
  return { id, title, test, source, isMandatory: true };
}

function advisory(id: GateId, title: string, test: GateTest, source: string): GateLine {
  return { id, title, test, source, isMandatory: false };
}
