import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import en from './en.json';

/** All visible text comes from resource files; English is the first. Bundled, so the page never waits for words. */
export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: 'en',
  fallbackLng: 'en',
  resources: { en: { translation: en } },
  interpolation: { escapeValue: false }, // React writes text nodes; escaping here would show entities
  initAsync: false,
});

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
