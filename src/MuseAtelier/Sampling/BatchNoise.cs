namespace MuseAtelier.Sampling;

/// <summary>Draws the noise of the pictures of a batch, each from its own generators; allocates nothing.</summary>
/// <param name="noise">The noise of each picture.</param>
internal sealed class BatchNoise(PictureNoise[] noise)
{
    /// <summary>Draws the initial noise.</summary>
    public void DrawStart(LatentBatch batch)
    {
        for (int i = 0; i < noise.Length; i++) noise[i].Start.Fill(batch.Noise(i));
    }

    /// <summary>
    /// Draws the noise of an evaluation. It depends on nothing that the device computes, so the device may work meanwhile.
    /// </summary>
    public void Draw(in Evaluation evaluation, LatentBatch batch)
    {
        for (int i = 0; i < noise.Length; i++)
        {
            for (int draw = 0; draw < evaluation.NoiseDraws; draw++)
            {
                // Each draw is one call, because two halves of a draw are not the same as a whole one.
                Span<float> all = batch.Noise(i, draw + 1);
                noise[i].Steps.Fill(all[(all.Length / (draw + 1) * draw)..]);
            }
        }
    }
}
