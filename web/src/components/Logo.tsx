/** The gate: two posts and, between them, the play mark of the moment found. */
export function Logo({ className = "size-8" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#0e6b74" />
      <path d="M10 8v16M22 8v16" stroke="#fff" strokeWidth="3.2" strokeLinecap="round" />
      <path d="M13.6 11.6 20 16l-6.4 4.4z" fill="#ffd479" />
    </svg>
  );
}
