/** The lab as a library: what scenario files, target adapters and end-to-end tests use. */
export { GUARD_DEFAULTS, type GuardLimits } from './engine/guard.ts';
export { makePlan, type Phase, type Plan, type PlannedVu, type PlanOptions } from './engine/plan.ts';
export { type RunOptions, type RunResult, runScenario } from './engine/run-scenario.ts';
export type {
  ConstantArrivalRate,
  ConstantVus,
  FlvViewerOptions,
  Group,
  HlsViewerOptions,
  RampingArrivalRate,
  RampingVus,
  RoomMemberOptions,
  Scenario,
  SessionLength,
  ShopperOptions,
} from './engine/scenario.ts';
export { type CheckHlsOptions, checkHls, type HlsReport } from './hls-conformance/check-hls.ts';
export { type HlsOrigin, openHttp1Origin, openHttp2Origin } from './hls-conformance/hls-origin.ts';
export { type Finding, HLS_RULES, type HlsRule, type HlsRuleId } from './hls-conformance/rules.ts';
export { detectHls } from './target/detect-hls.ts';
export type {
  ApiAnswer,
  ApiResult,
  ApiStep,
  RoomDialect,
  RoomMessage,
  ShopCart,
  ShopDialect,
  ShopItem,
  ShopOrder,
  TargetAdapter,
  TargetDescription,
} from './target/target.ts';
export { TargetUnreachableError } from './target/target.ts';
export type {
  MadeStream,
  MadeStreams,
  Criterion,
  Measure,
  Plane,
  RunShare,
  SampleMeasure,
  SampleReturnMeasure,
  ShowChange,
  VideoAbility,
} from './verdict/criterion.ts';
  WatchableStream,
export { EXIT_CODES } from './verdict/verdict.ts';
