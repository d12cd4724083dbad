import { useDashboard } from 'ashlar/react';
import { WIDGETS, type WidgetId } from '../../widgets.ts';
import { BatchList } from '../batch/batch-list.tsx';
import { CatalogChanges } from '../catalog/catalog-changes.tsx';
import { BackendButton } from '../shared/backend-button.tsx';
import { staleSince } from '../shared/stale-since.ts';
import { useWhyNot } from '../shared/use-why-not.ts';
import { StatusControls } from '../system-status/status-controls.tsx';
import { Sparkline } from './sparkline.tsx';
import { useHistory } from './use-history.ts';

const IDS = WIDGETS.map(({ id }) => id);

/** Numbers that tick, jobs, and changes of the catalog. */
export function DashboardView() {
  const { widgets, live, staleSince: since } = useDashboard(IDS);
  const stale = live ? null : staleSince(since);
  const history = useHistory();
  const whyNot = useWhyNot();
  return (
    <div className="view dashboard">
      <header className="view-head">
        <h1>Dashboard</h1>
        <div className="actions">
          <StatusControls />
          <BackendButton path="notifications/all">Notify everybody</BackendButton>
          <BackendButton path="notifications/me">Remind me</BackendButton>
        </div>
        {whyNot === null ? null : <p className="muted why-not">{whyNot}</p>}
      </header>
      <ul className="widgets" aria-label="Numbers">
        {WIDGETS.map(({ id, title, format }) => (
          <li key={id} className={stale === null ? 'card widget' : 'card widget widget-stale'}>
            <h2>{title}</h2>
            <p className="widget-value" data-widget={id}>
              {write(widgets[id]?.value, format)}
            </p>
            <Sparkline points={history[id as WidgetId]} />
            <p className="widget-state">{stale ?? <span className="live">live</span>}</p>
          </li>
        ))}
      </ul>
      <div className="two-columns">
        <BatchList stale={stale} />
        <CatalogChanges />
      </div>
    </div>
  );
}

function write(value: number | undefined, format: Intl.NumberFormatOptions): string {
  return value === undefined ? '–' : new Intl.NumberFormat('en', format).format(value);
}
