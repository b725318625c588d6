//! Sends what the server lacks of one file, and completes the upload.

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use futures::{StreamExt as _, TryStreamExt as _};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    files,
    plan::{Plan, is_etag_of},
    put,
};
use crate::{
    api::{
        self, Api, Call, TRIES,
        types::{Announced, PartUrl, StoredParts, Video},
    },
    failure::{Failure, Result},
};

/// An upload under way. A file's ETags by part number are what is known to be stored.
pub struct Sending<'a> {
    pub api: &'a Api,
    pub file: &'a files::Video,
    pub video_id: Uuid,
    pub bar: &'a ProgressBar,
    /// Parts at the same time.
    pub parallel: usize,
}

/// Announces a file. A lost answer is asked for again under the same key, so that one upload is begun and counted.
pub async fn announce(api: &Api, file: &files::Video, title: Option<&str>) -> Result<(Uuid, Plan)> {
    let mut body = json!({ "filename": file.name, "mime_type": file.mime_type, "size_bytes": file.size_bytes });
    if let Some(title) = title {
        body["title"] = json!(title);
    }
    let call = Call::post("/videos/uploads", body).once(Uuid::new_v4().to_string());
    let announced: Announced = serde_json::from_value(api.json_patiently(&call).await?)?;
    let plan = Plan::new(file.size_bytes, &announced.upload).ok_or_else(bad_plan)?;
    Ok((announced.video_id, plan))
}

fn bad_plan() -> Failure {
    Failure::Other(anyhow::anyhow!("the server cut the file into parts that do not fit it"))
}

impl Sending<'_> {
    /// The plan of an upload that was begun, and the ETags of the parts that are there and are this file's.
    pub async fn resumed(&self) -> Result<(Plan, BTreeMap<u32, String>)> {
        let path = format!("/videos/{}/uploads/parts", self.video_id);
        let stored: StoredParts = serde_json::from_value(self.api.json_patiently(&Call::get(path)).await?)?;
        let plan =
            Plan::of_stored(&stored).filter(|plan| plan.size_bytes == self.file.size_bytes).ok_or_else(bad_plan)?;
        let mut there = BTreeMap::new();
        for part in plan.plausible(&stored.parts) {
            let range = plan.range(part.part_number);
            if is_etag_of(&part.etag, &put::md5(&self.file.path, range).await?) {
                self.bar.inc(range.1);
                there.insert(part.part_number, part.etag.clone());
            }
        }
        // What is there already is no sign of speed.
        self.bar.reset_eta();
        Ok((plan, there))
    }

    /// Sends every part that is not among `etags`, and completes. Returns the video as the server has it then.
    pub async fn run(&self, plan: Plan, mut etags: BTreeMap<u32, String>) -> Result<Video> {
        let mut missing = plan.others(|number| etags.contains_key(&number));
        let mut tried = 0;
        loop {
            etags.extend(self.parts(plan, missing).await?);
            self.unchanged().await?;
            match self.complete(&etags).await {
                Err(failure) if tried + 1 < TRIES => match lacking(&failure) {
                    lacking if lacking.is_empty() => return Err(failure),
                    lacking => missing = lacking,
                },
                other => return other,
            }
            for &number in &missing {
                etags.remove(&number);
                self.bar.dec(plan.range(number).1);
            }
            tried += 1;
        }
    }

    async fn parts(&self, plan: Plan, numbers: Vec<u32>) -> Result<Vec<(u32, String)>> {
        let sent = numbers.into_iter().map(|number| self.part(plan, number));
        futures::stream::iter(sent).buffer_unordered(self.parallel).try_collect().await
    }

    /// Every try gets a URL of its own, so that none has ended.
    async fn part(&self, plan: Plan, number: u32) -> Result<(u32, String)> {
        let mut tried = 0;
        loop {
            let url = self.url(number).await?;
            match put::put(self.api, &url, &self.file.path, plan.range(number), self.bar).await {
                Ok(etag) => return Ok((number, etag)),
                Err(failure) if failure.is_passing() && tried + 1 < TRIES => {
                    // Sending breaks off as well where the file has become shorter.
                    self.unchanged().await?;
                    tokio::time::sleep(api::pause(tried)).await;
                }
                Err(failure) => return Err(failure),
            }
            tried += 1;
        }
    }

    async fn url(&self, number: u32) -> Result<String> {
        let path = format!("/videos/{}/uploads/parts", self.video_id);
        let mut answer = self.api.json_patiently(&Call::post(path, json!({ "part_numbers": [number] }))).await?;
        let parts: Vec<PartUrl> = serde_json::from_value(answer["parts"].take())?;
        let part = parts.into_iter().find(|part| part.part_number == number);
        Ok(part.map(|part| part.url).ok_or_else(|| anyhow::anyhow!("the server gave no URL for part {number}"))?)
    }

    /// A file that somebody wrote to meanwhile would be a mixture.
    async fn unchanged(&self) -> Result<()> {
        if is_as_before(&self.file.path, self.file.size_bytes, self.file.modified).await {
            return Ok(());
        }
        Err(Failure::Other(anyhow::anyhow!(
            "the file was changed while it was sent; send it again when it is finished"
        )))
    }

    async fn complete(&self, etags: &BTreeMap<u32, String>) -> Result<Video> {
        let parts: Vec<Value> =
            etags.iter().map(|(number, etag)| json!({ "part_number": number, "etag": etag })).collect();
        let path = format!("/videos/{}/uploads/complete", self.video_id);
        // Storage puts a large object together for a while.
        let call = Call::post(path, json!({ "parts": parts })).deadline(Some(api::DEADLINE * 5));
        Ok(serde_json::from_value(self.api.json_patiently(&call).await?)?)
    }
}

async fn is_as_before(file: &Path, size_bytes: u64, modified: Option<SystemTime>) -> bool {
    tokio::fs::metadata(file).await.is_ok_and(|data| data.len() == size_bytes && data.modified().ok() == modified)
}

/// Parts that the server does not have, or has in another form than they were sent.
fn lacking(failure: &Failure) -> Vec<u32> {
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    if let Some(problem) = failure.problem("upload_parts_missing") {
        let missing = problem.extra.get("missing").and_then(Value::as_array);
        return missing.into_iter().flatten().filter_map(number).collect();
    }
    if let Some(problem) = failure.problem("upload_etag_mismatch") {
        return problem.extra.get("part_number").and_then(number).into_iter().collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Problem;

    fn refused(body: &Value) -> Failure {
        Problem::read(409, None, body.to_string().as_bytes()).into()
    }

    #[test]
    fn a_refused_completion_says_what_to_send_again() {
        assert_eq!(lacking(&refused(&json!({ "code": "upload_parts_missing", "missing": [2, 5] }))), [2, 5]);
        assert_eq!(lacking(&refused(&json!({ "code": "upload_etag_mismatch", "part_number": 3 }))), [3]);
        assert_eq!(lacking(&refused(&json!({ "code": "upload_not_open" }))), Vec::<u32>::new());
    }
}
