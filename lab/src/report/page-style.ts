/** Style of the report page: one file, no requests, light and dark by the reader's setting, from phone to wall. */
export const PAGE_STYLE = `
:root { color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1c1b1a; --soft: #67635d; --line: #e4e0d9; --grid: #eeebe5;
  --good: #15703c; --good-bg: #e5f4ea; --bad: #b3261e; --bad-bg: #fbe9e7; --warn: #8a5a00; --warn-bg: #fdf1d8;
  --a: #3b5bdb; --b: #c2560c; --c: #0b7a75; --d: #9c36b5; }
@media (prefers-color-scheme: dark) { :root {
  --page: #151413; --card: #1e1d1b; --ink: #efece6; --soft: #a8a29a; --line: #37342f; --grid: #2a2825;
  --good: #6fcf97; --good-bg: #17301f; --bad: #ff8a80; --bad-bg: #3a1a17; --warn: #f2c46d; --warn-bg: #35290f;
  --a: #91a7ff; --b: #ffa66b; --c: #5fd3cc; --d: #e3a0f5; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.05rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 40px 0 12px; }
p { margin: 4px 0; } .soft { color: var(--soft); }
.verdict { border-radius: 14px; padding: 20px 22px; margin: 16px 0; border: 1px solid var(--line); }
.verdict strong { display: block; font-size: 2rem; line-height: 1.2; }
.verdict.good { background: var(--good-bg); } .verdict.good strong { color: var(--good); }
.verdict.bad { background: var(--bad-bg); } .verdict.bad strong { color: var(--bad); }
.verdict.warn { background: var(--warn-bg); } .verdict.warn strong { color: var(--warn); }
.stamp { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 0 10px; margin: 8px 6px 0 0;
  font-size: .85rem; color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 10px; }
.figure, .chart, details { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.figure { padding: 10px 14px; } .figure b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.figure span { color: var(--soft); font-size: .88rem; }
.criteria { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.criterion { border: 0; border-radius: 0; border-bottom: 1px solid var(--line); margin: 0; padding: 0; } .criterion:last-child { border-bottom: 0; }
.criterion summary { display: grid; grid-template-columns: 22px minmax(0, 1fr) 90px 84px minmax(0, 250px); gap: 4px 12px; padding: 10px 16px;
  align-items: baseline; font-weight: 400; list-style: none; }
.criterion summary::-webkit-details-marker { display: none; }
.criterion summary:hover { background: var(--grid); }
.criterion .mark { font-weight: 700; } .pass .mark { color: var(--good); } .fail .mark, .fail .result { color: var(--bad); }
.inconclusive .mark, .inconclusive .result { color: var(--warn); } .not-applicable { color: var(--soft); }
.criterion b { font-weight: 600; } .criterion .value { font-variant-numeric: tabular-nums; font-weight: 600; text-align: right; }
.criterion .limit { color: var(--soft); font-variant-numeric: tabular-nums; }
.criterion p { margin: 0 16px 12px 50px; color: var(--soft); font-size: .92rem; }
.charts { display: grid; gap: 14px; grid-template-columns: repeat(2, minmax(0, 1fr)); } .chart { padding: 12px 14px 4px; margin: 0; min-width: 0; }
.chart figcaption { font-weight: 600; } .chart figcaption span { display: block; color: var(--soft); font-weight: 400; font-size: .88rem; }
.chart svg { display: block; width: 100%; height: auto; }
.tag { color: var(--soft); font-size: .8rem; border: 1px solid var(--line); border-radius: 6px; padding: 0 6px; margin-left: 6px; font-weight: 400; }
details { margin: 10px 0; padding: 10px 16px; } summary { cursor: pointer; font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  main { padding: 16px 12px 48px; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .criterion summary { grid-template-columns: 18px minmax(0, 1fr) auto; padding: 10px 12px; gap: 0 10px; }
  .criterion .limit { grid-column: 3; grid-row: 2; text-align: right; } .criterion .result { grid-column: 2; grid-row: 2; }
  .criterion p { margin-left: 40px; } .charts { grid-template-columns: minmax(0, 1fr); } }
@media print { .chart, .criterion { break-inside: avoid; } }
`;
