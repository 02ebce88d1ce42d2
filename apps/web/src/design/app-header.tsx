import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { CartButton } from '../shop/cart-button.tsx';
import './app-header.css';

/** Brand and the bag, on every page. */
export function AppHeader(): ReactElement {
  const { t } = useTranslation();
  return (
    <header className="sf-header">
      <Link to="/" className="sf-brand" aria-label={t('brand.home')}>
        <svg aria-hidden="true" focusable="false" width="28" height="28" viewBox="0 0 32 32">
          <rect width="32" height="32" rx="9" fill="var(--sf-accent)" />
          <path d="M12 9.6v12.8c0 .9 1 1.4 1.7.9l9-6.4c.6-.4.6-1.4 0-1.8l-9-6.4c-.7-.5-1.7 0-1.7.9Z" fill="#fff" />
        </svg>
        <span>{t('brand.name')}</span>
      </Link>
      <nav className="sf-header__nav" aria-label={t('brand.nav')}>
        <Link to="/studio" className="sf-header__link">
          {t('brand.studio')}
        </Link>
        <CartButton />
      </nav>
    </header>
  );
}
