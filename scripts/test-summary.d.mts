export interface SummaryInput {
  readonly checks: readonly { readonly name: string; readonly passed: boolean }[] | undefined;
  readonly tests:
    | {
        readonly testResults: readonly {
          readonly name: string;
          readonly status: string;
          readonly message?: string;
          readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
        }[];
      }
    | undefined;
  readonly checksStatus: number;
  readonly testsStatus: number;
  readonly isCi: boolean;
}
export function summarise(input: SummaryInput): { readonly lines: readonly string[]; readonly exitStatus: number };
