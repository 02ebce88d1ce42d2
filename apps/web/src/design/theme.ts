import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** The one accent: vermilion. Shade 7 carries white text at 4.5:1 and more. */
const accent: MantineColorsTuple = [
  '#fdf0ec',
  '#f9ddd5',
  '#f1bbad',
  '#ea9783',
  '#e4785f',
  '#dc5f44',
  '#cf4d32',
  '#bd3f27',
  '#a23520',
  '#852a18',
];

const warmGray: MantineColorsTuple = [
  '#faf7f2',
  '#f3eee6',
  '#e8e0d5',
  '#d9cfc1',
  '#c2b6a6',
  '#a3978a',
  '#857a6e',
  '#675e54',
  '#3d362f',
  '#231e19',
];

const warmDark: MantineColorsTuple = [
  '#f1e9de',
  '#d3c9bc',
  '#ada294',
  '#857a6e',
  '#4d453d',
  '#3a332d',
  '#2b2621',
  '#211d19',
  '#171411',
  '#100e0c',
];

/**
 * Showfloor's look: warm neutrals, one accent, generous type, round corners. Colours of surfaces and text are CSS
 * variables in tokens.css; this hands them to the components.
 */
export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: 7,
  colors: { accent, gray: warmGray, dark: warmDark },
  fontFamily: "'Figtree Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
  headings: { fontFamily: "'Figtree Variable', system-ui, sans-serif", fontWeight: '680' },
  fontSizes: { xs: '0.8125rem', sm: '0.9375rem', md: '1rem', lg: '1.125rem', xl: '1.375rem' },
  defaultRadius: 'md',
  radius: { xs: '6px', sm: '8px', md: '12px', lg: '18px', xl: '28px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'md' }, styles: { label: { fontWeight: 620 } } },
    TextInput: { defaultProps: { size: 'md' } },
    Textarea: { defaultProps: { size: 'md' } },
    NativeSelect: { defaultProps: { size: 'md' } },
  },
});

/** Points the components at our own surface and text colours. */
export const resolveCssVariables: CSSVariablesResolver = () => {
  const surfaces = {
    '--mantine-color-body': 'var(--sf-page)',
    '--mantine-color-text': 'var(--sf-ink)',
    '--mantine-color-dimmed': 'var(--sf-muted)',
    '--mantine-color-default': 'var(--sf-raised)',
    '--mantine-color-default-hover': 'var(--sf-sunken)',
    '--mantine-color-default-border': 'var(--sf-line-strong)',
    '--mantine-color-placeholder': 'var(--sf-muted)',
    '--mantine-color-error': 'var(--sf-accent-ink)',
    '--mantine-color-anchor': 'var(--sf-accent-ink)',
  };
  return { variables: {}, light: surfaces, dark: surfaces };
};
