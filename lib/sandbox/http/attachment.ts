/** A Content-Disposition for any file name (RFC 6266): a plain one for old programs, the true one in UTF-8 (RFC 8187). */
export function attachment(name: string): string {
  // Half a surrogate pair can't be encoded.
  const safe = Buffer.from(name).toString();
  const plain = safe.replaceAll(/[^\x20-\x7e]|["\\%/]/g, '_');
  const encoded = encodeURIComponent(safe).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
