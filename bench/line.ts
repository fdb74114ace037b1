/** What a bench prints for one comparison with `--json`; its extra fields come after these. */
export interface Line<Bench extends string, Unit extends string> {
  readonly bench: Bench;
  readonly case: string;
  readonly ours: number;
  /** null: there is no peer, or its programs are not installed. */
  readonly peer: number | null;
  readonly unit: Unit;
  /** Ours by peer's, the median where there are pairs; below 1: we are faster. */
  readonly ratio: number | null;
  readonly peak_rss_mb: number;
  readonly peer_peak_rss_mb: number | null;
}
