//! From vectors of tokens to the vector of a text.

use serde::Deserialize;

/// How a graph's output becomes one vector of length 1 for each text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The graph pools and normalises itself: (texts × dimension).
    #[default]
    None,
    /// The mean over a text's tokens of (texts × tokens × dimension); Reimers and Gurevych, "Sentence-BERT", 2019. E5 wants it.
    Mean,
    /// The first token's vector of (texts × tokens × dimension).
    Cls,
}

impl Pooling {
    /// `data` is the graph's output over `lengths.len()` texts padded to `length` tokens; a text's own tokens are its first.
    pub(super) fn pool(self, data: &[f32], lengths: &[usize], length: usize) -> Vec<f32> {
        let row = data.len() / lengths.len().max(1);
        let dimension = row / length.max(1);
        let vectors = data.chunks_exact(row.max(1)).zip(lengths).map(|(tokens, &own)| match self {
            Self::None => tokens.to_vec(),
            Self::Cls => normalised(tokens[..dimension].to_vec()),
            Self::Mean => {
                let mut sum = vec![0.0_f32; dimension];
                for token in tokens.chunks_exact(dimension.max(1)).take(own) {
                    for (sum, part) in sum.iter_mut().zip(token) {
                        *sum += part;
                    }
                }
                normalised(sum)
            }
        });
        vectors.flatten().collect()
    }
}

fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_counts_for_nothing() {
        // Two texts of one and two tokens, dimension 2, padded to two.
        let data = [3.0, 4.0, 900.0, 900.0, 0.0, 2.0, 2.0, 0.0];
        let near = |found: Vec<f32>, wanted: [f32; 4]| {
            assert!(
                found.len() == 4 && found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?}, {wanted:?}"
            );
        };
        near(Pooling::Mean.pool(&data, &[1, 2], 2), [0.6, 0.8, 0.5_f32.sqrt(), 0.5_f32.sqrt()]);
        near(Pooling::Cls.pool(&data, &[1, 2], 2), [0.6, 0.8, 0.0, 1.0]);
        assert_eq!(Pooling::None.pool(&data[..4], &[1, 2], 2), data[..4]);
    }
}
