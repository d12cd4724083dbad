import './styles/base.css';
import './styles/shell.css';
import './styles/features.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Contained } from './shared/failure.tsx';
import { keepFocus } from './shared/focus-keeper.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
keepFocus();
createRoot(root).render(
  <StrictMode>
    <Contained>
      <App />
    </Contained>
  </StrictMode>,
);
