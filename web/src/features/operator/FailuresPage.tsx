import { Failures } from "./Failures";
import { messages } from "./messages";
import { Panel } from "./parts";

export function FailuresPage() {
  const t = messages.use();
  return (
    <Panel title={t.tabs.failures}>
      <Failures />
    </Panel>
  );
}
