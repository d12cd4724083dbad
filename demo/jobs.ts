/** A batch job that can be started. */
export interface Job {
  /** Also its `batchId`. */
  readonly id: string;
  readonly title: string;
  /** What is counted. */
  readonly unit: string;
  readonly total: number;
  /** How many are done in one tick of the backend. */
  readonly perTick: number;
}

export const JOBS: readonly Job[] = [
  { id: 'catalog-import', title: 'Import the supplier catalog', unit: 'products', total: 1_200, perTick: 30 },
  { id: 'invoice-run', title: 'Send the monthly invoices', unit: 'invoices', total: 340, perTick: 3 },
];
