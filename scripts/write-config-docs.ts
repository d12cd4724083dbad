import { writeFileSync } from 'node:fs';
import { renderConfigDocs } from './render-config-docs.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), renderConfigDocs());
