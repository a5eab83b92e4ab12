/** The look of the page of a data set. */
export const STYLE = `
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h2 { font-size: 15px; margin: 0 0 10px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 16px; margin: 20px 0; }
section { display: flex; flex-direction: column; }
section, article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
article { margin: 0 0 16px; }
.row { display: grid; grid-template-columns: 92px 1fr 48px; align-items: center; gap: 8px; margin: 3px 0; }
.track { background: var(--ground); border-radius: 4px; height: 14px; }
.bar { display: block; background: var(--bar); border-radius: 4px; height: 14px; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.histogram { display: flex; align-items: flex-end; gap: 2px; flex: 1; min-height: 120px; border-bottom: 1px solid var(--line); }
.column { flex: 1; height: 100%; display: flex; align-items: flex-end; }
.column i { display: block; width: 100%; background: var(--bar); border-radius: 2px 2px 0 0; }
.axis { display: flex; justify-content: space-between; color: var(--quiet); font-size: 13px; margin-top: 4px; }
article img { display: block; width: 100%; height: auto; border-radius: 6px; image-rendering: auto; }
.caption { font-size: 17px; margin: 10px 0 2px; }
.origin { color: var(--quiet); font-size: 13px; margin: 0 0 8px; overflow-wrap: anywhere; }
table { width: 100%; overflow-wrap: anywhere; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 5px 10px 5px 0; border-top: 1px solid var(--line); }
th:first-child { width: 104px; font-weight: 600; }
td { width: 45%; }
thead th { border-top: 0; color: var(--quiet); font-weight: 400; font-size: 13px; }
details { margin-top: 16px; }
summary { cursor: pointer; }
li { overflow-wrap: anywhere; }
@media (max-width: 640px) { td { width: auto; } th:first-child { width: 96px; } }
`;
