export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Puts environment variables into one value: `${NAME}`; `$${` stands for a literal `${`.
 *
 * Works on values after parsing, so what a variable holds can never become structure.
 */
export function expandEnv(text: string, env: Env): { readonly text: string } | { readonly fault: string } {
  let fault: string | undefined;
  const expanded = text.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (whole, name: string | undefined, end: string | undefined) => {
      if (whole === '$${') return '${';
      if (end !== '}' || name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        fault ??= 'expected the name of an environment variable in `${…}`; write `$${` for a literal `${`';
        return '';
      }
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value === undefined) fault ??= `the environment variable \`${name}\` is not set`;
      return value ?? '';
    },
  );
  return fault === undefined ? { text: expanded } : { fault };
}
