import { LOOP_SECONDS } from './shots.ts';

/**
 * Samples per second. 12 s are 375 AAC frames of 1024 samples at this rate, each exactly 32 ms: the loop needs no gap,
 * no cut frame and no rounding of FLV's millisecond timestamps. At 44.1 or 48 kHz 12 s are not a whole number of frames.
 */
export const AUDIO_RATE_HZ = 32_000;

/** AAC frames in one loop. */
export const AUDIO_FRAMES = (LOOP_SECONDS * AUDIO_RATE_HZ) / 1024;

const SAMPLES = LOOP_SECONDS * AUDIO_RATE_HZ;
const PEAK = 0.32; // quiet: it plays under somebody talking

/** One chord per stop of the camera, as semitones from A3 (220 Hz). */
const CHORDS: readonly (readonly number[])[] = [
  [-9, -2, 2, 7, 10], // C major 9
  [-12, -5, 3, 7, 10], // A minor 7
  [-16, -4, 0, 3, 8], // F major 7
  [-14, -2, 2, 5, 12], // G 6/9
];
/** Which chord tone the marimba plays on each eighth of a chord; −1 rests. */
const PATTERN: readonly number[] = [1, 3, 4, -1, 2, 4, -1, 3];

type Channels = readonly [left: Float64Array, right: Float64Array];

/** One loop of soft chords and marimba: interleaved 16-bit stereo. Everything that rings past the end wraps around. */
export function loopPcm(): Int16Array {
  const dry: Channels = [new Float64Array(SAMPLES), new Float64Array(SAMPLES)];
  const chordSeconds = LOOP_SECONDS / CHORDS.length;
  for (const [i, chord] of CHORDS.entries()) {
    const start = i * chordSeconds;
    for (const [k, semitone] of chord.entries()) addPad(dry, start, pitch(semitone), (k / (chord.length - 1)) * 2 - 1);
    for (const [k, tone] of PATTERN.entries()) {
      const semitone = chord[tone];
      if (semitone === undefined) continue;
      const level = 0.5 + 0.14 * Math.cos(k * 1.9 + i);
      addMarimba(
        dry,
        start + (k * chordSeconds) / PATTERN.length,
        pitch(semitone + 12),
        level,
        Math.sin(k * 2.3 + i) * 0.6,
      );
    }
  }
  const wet: Channels = [echoed(dry[0], 0), echoed(dry[1], 331)];
  return toPcm([mixed(dry[0], wet[0]), mixed(dry[1], wet[1])]);
}

function pitch(semitone: number): number {
  return 220 * 2 ** (semitone / 12);
}

/** A slow swell of two slightly detuned sines with a hint of the octave. */
function addPad(out: Channels, start: number, frequency: number, pan: number): void {
  const seconds = 4.6;
  add(out, start - 0.5, seconds, pan * 0.5, (t) => {
    const envelope = Math.sin((Math.PI * t) / seconds) ** 1.6;
    const w = 2 * Math.PI * frequency * t;
    return 0.075 * envelope * (Math.sin(w * 0.9985) + Math.sin(w * 1.0015) + 0.22 * Math.sin(2 * w));
  });
}

/** A struck bar: the note, its fourth harmonic that dies fast, a soft attack. */
function addMarimba(out: Channels, start: number, frequency: number, level: number, pan: number): void {
  add(out, start, 2.4, pan, (t) => {
    const w = 2 * Math.PI * frequency * t;
    const attack = Math.min(1, t / 0.004);
    return 0.3 * level * attack * (Math.sin(w) * Math.exp(-t * 3.4) + 0.2 * Math.sin(3.93 * w) * Math.exp(-t * 16));
  });
}

function add(out: Channels, start: number, seconds: number, pan: number, sound: (t: number) => number): void {
  const first = Math.round(start * AUDIO_RATE_HZ) + SAMPLES;
  const [left, right] = [Math.sqrt(0.5 - pan * 0.5), Math.sqrt(0.5 + pan * 0.5)];
  for (let i = 0; i < seconds * AUDIO_RATE_HZ; i++) {
    const value = sound(i / AUDIO_RATE_HZ);
    const at = (first + i) % SAMPLES;
    out[0][at] = (out[0][at] ?? 0) + value * left;
    out[1][at] = (out[1][at] ?? 0) + value * right;
  }
}

/** A small room: four damped echoes, run round the loop three times so that its beginning hears its own end. */
function echoed(dry: Float64Array, offset: number): Float64Array {
  const wet = new Float64Array(SAMPLES);
  for (const delay of [1187, 1531, 1873, 2311]) {
    const length = delay + offset;
    const line = new Float64Array(length);
    let damped = 0;
    for (let i = 0; i < SAMPLES * 3; i++) {
      const echo = line[i % length] ?? 0;
      damped += 0.35 * (echo - damped);
      line[i % length] = (dry[i % SAMPLES] ?? 0) + 0.78 * damped;
      if (i >= SAMPLES * 2) wet[i % SAMPLES] = (wet[i % SAMPLES] ?? 0) + echo * 0.25;
    }
  }
  return wet;
}

function mixed(dry: Float64Array, wet: Float64Array): Float64Array {
  return dry.map((value, i) => value + 0.42 * (wet[i] ?? 0));
}

function toPcm([left, right]: Channels): Int16Array {
  let loudest = 0;
  for (const channel of [left, right]) for (const value of channel) loudest = Math.max(loudest, Math.abs(value));
  const gain = (PEAK * 32767) / loudest;
  return Int16Array.from({ length: SAMPLES * 2 }, (_, i) =>
    Math.round(((i % 2 === 0 ? left[i >> 1] : right[i >> 1]) ?? 0) * gain),
  );
}
