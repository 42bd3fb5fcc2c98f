import { initPluginTranslations } from '@grafana/i18n';
import { createRoot } from 'react-dom/client';

import { App } from './page/App';
import './style.css';

const root = document.getElementById('root');
if (root) {
  // The components' own words, in English.
  void initPluginTranslations('viewer').then(() => createRoot(root).render(<App />));
}
