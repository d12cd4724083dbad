/** What `getStats` gives. */
export interface Stats {
  readonly totalConnections: number;
  readonly totalUsers: number;
  /** Room → sockets in it. */
  readonly rooms: Readonly<Record<string, number>>;
}
