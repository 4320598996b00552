/** How a COPY … TO STDOUT writes its rows, as its statement says. */
export interface CopyFormat {
  readonly kind: 'text' | 'csv' | 'binary';
  /** Single-byte characters. */
  readonly delimiter: number;
  readonly quote: number;
  readonly escape: number;
  readonly nullText: string;
  /** Is the first row one of names? */
  readonly header: boolean;
  /** Of the rows, as the server or the statement names it; UTF8 where nobody says. */
  readonly encoding?: string;
}
