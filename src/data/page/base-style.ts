/** What pages look alike in: colours in light and dark, letters. */
export const BASE_STYLE = `
:root { color-scheme: light dark; --ink: #1d2129; --quiet: #5d6675; --line: #dde1e8; --card: #ffffff; --ground: #f4f5f8; --bar: #4a6fd0; --warn: #a8500a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ee; --quiet: #9aa3b2; --line: #333944; --card: #1e222a; --ground: #15181e; --bar: #7896ea; --warn: #f0a35e; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; }
.quiet { color: var(--quiet); }
.warn { color: var(--warn); }
`;
