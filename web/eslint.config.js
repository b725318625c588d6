import { readdirSync } from "node:fs";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// The walls: app → features → {components, lib}. A feature never reaches into another one; what two need lives in lib or components.
const features = readdirSync(new URL("./src/features", import.meta.url));
const noBarrels = { regex: "/index(\\.tsx?)?$", message: "Import the file itself: no barrels." };
const noParents = { regex: "^\\.\\./", message: "Write @/…: relative imports stay inside a folder." };
const wall = (files, patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [noBarrels, noParents, ...patterns] }] },
});

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/lib/api/openapi.d.ts"] },
  ...tseslint.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "no-console": "error",
      eqeqeq: ["error", "smart"],
    },
  },
  wall(["src/app/**"], []),
  wall(["src/lib/**"], [{ regex: "^@/(app|features|components)/", message: "lib knows nothing above it." }]),
  wall(["src/components/**"], [{ regex: "^@/(app|features)/", message: "components know nothing of features." }]),
  ...features.map((feature) =>
    wall([`src/features/${feature}/**`], [
      { regex: "^@/app/", message: "A feature does not know the app around it." },
      { regex: `^@/features/(?!${feature}/)`, message: "No cross-feature imports: move it to lib or components." },
    ]),
  ),
);
