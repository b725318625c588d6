//! The twelve stages and the order between them, as data.

use std::time::Duration;

use crate::enums::pg_enum;

pg_enum! {
    /// A stage of the pipeline, in the order in which a person is shown them.
    Stage: "job_stage" {
        UploadValidate = "upload_validate",
        AudioExtract = "audio_extract",
        AsrFast = "asr_fast",
        SceneDetect = "scene_detect",
        AlignMerge = "align_merge",
        EmbedText = "embed_text",
        VisionSampleFrames = "vision_sample_frames",
        VisionEmbedFrames = "vision_embed_frames",
        VisionAffectTags = "vision_affect_tags",
        FacesEnrollMatch = "faces_enroll_match",
        SidecarBuild = "sidecar_build",
        Commit = "commit",
    }
}

/// What the runner has to know of a stage.
#[derive(Clone, Copy, Debug)]
pub struct StageSpec {
    pub stage: Stage,
    /// Stages of the same run that must be completed before.
    pub needs: &'static [Stage],
    /// Stages whose work this one reads or finishes and that a finished run no longer has (intermediates that `commit`
    /// removes, files that name their run): when this one is redone, so are they.
    pub consumes: &'static [Stage],
    /// Attempts that may count before the video fails.
    pub max_attempts: i32,
    /// How long one attempt may take.
    pub deadline: Duration,
    /// The apalis queue, one a stage, so that each can be served, paused, limited and measured by itself.
    pub queue: &'static str,
}

use Stage::{
    AlignMerge, AsrFast, AudioExtract, Commit, EmbedText, FacesEnrollMatch, SceneDetect, SidecarBuild, UploadValidate,
    VisionAffectTags, VisionEmbedFrames, VisionSampleFrames,
};

const MINUTE: u64 = 60;

/// The stage graph. Everything that depends on order reads it here.
pub const STAGES: [StageSpec; 12] = [
    spec(UploadValidate, &[], 30 * MINUTE, "stage.upload_validate"),
    spec(AudioExtract, &[UploadValidate], 60 * MINUTE, "stage.audio_extract"),
    spec(AsrFast, &[AudioExtract], 360 * MINUTE, "stage.asr_fast").consuming(&[AudioExtract]),
    spec(SceneDetect, &[UploadValidate], 360 * MINUTE, "stage.scene_detect"),
    spec(AlignMerge, &[AsrFast, SceneDetect], 10 * MINUTE, "stage.align_merge"),
    spec(EmbedText, &[AlignMerge], 60 * MINUTE, "stage.embed_text"),
    spec(VisionSampleFrames, &[SceneDetect], 360 * MINUTE, "stage.vision_sample_frames").consuming(&[SceneDetect]),
    spec(VisionEmbedFrames, &[VisionSampleFrames], 360 * MINUTE, "stage.vision_embed_frames"),
    spec(VisionAffectTags, &[VisionEmbedFrames, AsrFast, FacesEnrollMatch], 60 * MINUTE, "stage.vision_affect_tags"),
    spec(FacesEnrollMatch, &[VisionSampleFrames], 360 * MINUTE, "stage.faces_enroll_match").consuming(&[SceneDetect]),
    spec(SidecarBuild, &[EmbedText, VisionAffectTags], 30 * MINUTE, "stage.sidecar_build"),
    spec(Commit, &[SidecarBuild], 10 * MINUTE, "stage.commit").consuming(&[SidecarBuild]),
];

const fn spec(stage: Stage, needs: &'static [Stage], deadline_s: u64, queue: &'static str) -> StageSpec {
    StageSpec { stage, needs, consumes: &[], max_attempts: 3, deadline: Duration::from_secs(deadline_s), queue }
}

impl StageSpec {
    const fn consuming(self, consumes: &'static [Stage]) -> Self {
        Self { consumes, ..self }
    }
}

/// What is done again when these stages are: they, all that depend on them, and the producers of inputs that are gone.
/// In pipeline order.
pub fn redo_of(wanted: &[Stage]) -> Vec<Stage> {
    let mut again: Vec<Stage> = wanted.to_vec();
    loop {
        let more: Vec<Stage> = STAGES
            .iter()
            .filter(|spec| !again.contains(&spec.stage))
            .filter(|spec| {
                spec.needs.iter().any(|need| again.contains(need))
                    || again.iter().any(|stage| stage.spec().consumes.contains(&spec.stage))
            })
            .map(|spec| spec.stage)
            .collect();
        if more.is_empty() {
            again.sort_unstable();
            again.dedup();
            return again;
        }
        again.extend(more);
    }
}

impl Stage {
    pub fn spec(self) -> &'static StageSpec {
        &STAGES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_stage_stands_at_its_own_place() {
        for (spec, &stage) in STAGES.iter().zip(Stage::ALL) {
            assert_eq!(spec.stage, stage);
            assert_eq!(spec.queue, format!("stage.{stage}"));
        }
    }

    #[test]
    fn every_stage_is_reached_from_the_first_and_leads_to_the_last() {
        let mut done = HashSet::new();
        while let Some(spec) =
            STAGES.iter().find(|s| !done.contains(&s.stage) && s.needs.iter().all(|n| done.contains(n)))
        {
            done.insert(spec.stage);
        }
        assert_eq!(done.len(), STAGES.len(), "the graph has a cycle");
        let needed: HashSet<_> = STAGES.iter().flat_map(|s| s.needs).copied().collect();
        let ends: Vec<_> = Stage::ALL.iter().filter(|stage| !needed.contains(*stage)).collect();
        assert_eq!(ends, [&Stage::Commit]);
    }

    #[test]
    fn a_redo_takes_along_what_depends_on_it_and_what_it_feeds_on() {
        assert_eq!(redo_of(&[Commit]), [SidecarBuild, Commit]);
        assert_eq!(redo_of(&[EmbedText]), [EmbedText, SidecarBuild, Commit]);
        assert_eq!(
            redo_of(&[AsrFast]),
            [AudioExtract, AsrFast, AlignMerge, EmbedText, VisionAffectTags, SidecarBuild, Commit]
        );
        // The pictures that were not chosen are gone, so choosing again means decoding again.
        let of_sampling = redo_of(&[VisionSampleFrames]);
        assert_eq!(of_sampling, redo_of(&[SceneDetect]));
        // Faces are looked for in every candidate, not only in those that were kept.
        assert_eq!(redo_of(&[FacesEnrollMatch]), of_sampling);
        assert!(!of_sampling.contains(&AsrFast) && of_sampling.contains(&AlignMerge));
        assert_eq!(redo_of(&[UploadValidate]), Stage::ALL);
        // Whatever is redone, what is left has all its needs among what is left: it can be inherited.
        for &stage in Stage::ALL {
            let again = redo_of(&[stage]);
            for spec in STAGES.iter().filter(|spec| !again.contains(&spec.stage)) {
                assert!(spec.needs.iter().all(|need| !again.contains(need)), "{stage}: {}", spec.stage);
            }
        }
    }
}
