export interface BrokenImport {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}
export function brokenImports(root: string): Promise<readonly BrokenImport[]>;
