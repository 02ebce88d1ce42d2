/** The lab as a library: what scenario files, target adapters and end-to-end tests use. */

export type { AlertEvent, AlertRule } from './alerts/alert.ts';
export { AlertBoard } from './alerts/alert-board.ts';
export { STRATEGY_ALERTS } from './alerts/strategy-alerts.ts';
export type { Collector, Reading } from './collectors/collector.ts';
export { boundedText } from './collectors/http-get.ts';
export { SAMPLE_METRICS } from './collectors/metric-names.ts';
export { collectorsOf, ownCollectors, presentSources } from './collectors/open-sources.ts';
export { parseExposition } from './collectors/prometheus-text.ts';
export type { CollectedSample, SampleLine } from './collectors/sample.ts';
export { parseSource, type Source, type TargetSource } from './collectors/source.ts';
export { startCollectors } from './collectors/start-collectors.ts';
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
export { metricNamesIn } from './outputs/promql-names.ts';
export { askTarget, askTargetJson, type TargetAnswer, VIDEO_ONLY } from './target/ask-target.ts';
export { detectHls } from './target/detect-hls.ts';
export type {
  ApiAnswer,
  ApiResult,
  ApiStep,
  MadeStream,
  MadeStreams,
  RoomDialect,
  RoomMessage,
  ShopCart,
  ShopDialect,
  ShopItem,
  ShopOrder,
  ShowChange,
  TargetAdapter,
  TargetDescription,
  WatchableStream,
} from './target/target.ts';
export { TargetUnreachableError, withoutQuery } from './target/target.ts';
export type {
  Criterion,
  Measure,
  Plane,
  RunShare,
  SampleMeasure,
  SampleReturnMeasure,
  VideoAbility,
} from './verdict/criterion.ts';
export { EXIT_CODES } from './verdict/verdict.ts';
