/** A number on the dashboard: what it is called, and how it is written. */
export interface Widget {
  readonly id: WidgetId;
  readonly title: string;
  readonly format: Intl.NumberFormatOptions;
}

export type WidgetId = 'visitors' | 'orders' | 'revenue' | 'latency';

export const WIDGETS: readonly Widget[] = [
  { id: 'visitors', title: 'Visitors now', format: {} },
  { id: 'orders', title: 'Orders per minute', format: {} },
  { id: 'revenue', title: 'Revenue today', format: { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 } },
  { id: 'latency', title: 'Response time', format: { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 } },
];

/** Points that a chart shows. */
export const HISTORY_POINTS = 60;
