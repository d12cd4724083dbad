import './styles/base.css';
import './styles/shell.css';
import './styles/features.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Contained } from './shared/failure.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <Contained>
      <App />
    </Contained>
  </StrictMode>,
);
