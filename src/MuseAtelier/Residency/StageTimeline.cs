using MuseAtelier.Streaming;

namespace MuseAtelier.Residency;

/// <summary>
/// Simulates a row of stages, some of which wait for their weights. Copies follow each other on their own stream. A stage's weights in the
/// streaming buffer are overwritten only after the stage has run.
/// </summary>
internal static class StageTimeline
{
    private const double Instant = 1e-12;

    /// <summary>Seconds of several rounds, one after the other.</summary>
    /// <param name="work">Seconds of each stage.</param>
    /// <param name="copies">Seconds of each stage's copy; 0 for a stage whose weights are not copied.</param>
    /// <param name="buffer">Where the copied stages lie, in their order.</param>
    /// <param name="rounds">Number of rounds. A round's first copies may run during the end of the round before.</param>
    /// <param name="workShare">The factor by which each stage's seconds are multiplied.</param>
    public static double Seconds(
        ReadOnlySpan<double> work, ReadOnlySpan<double> copies, StreamingBufferLayout buffer, int rounds, double workShare = 1)
    {
        double copied = 0, done = 0;
        Span<double> ran = stackalloc double[buffer.Count];
        Span<double> ranBefore = stackalloc double[buffer.Count];
        ran.Clear();
        for (int round = 0; round < rounds; round++)
        {
            int streamed = 0;
            double begin = done, lead = copied - done;
            ran.CopyTo(ranBefore);
            for (int i = 0; i < work.Length; i++)
            {
                if (copies[i] == 0)
                {
                    done += work[i] * workShare;
                    continue;
                }

                int distance = buffer.Distances[streamed];
                // A stage that overlaps no other one is copied in the first round only.
                if (distance < buffer.Count || round == 0)
                {
                    int blocker = streamed - distance;
                    bool isBlocked = blocker >= 0 || round > 0;
                    copied = Math.Max(copied, isBlocked ? ran[(blocker + buffer.Count) % buffer.Count] : 0) + copies[i];
                    done = Math.Max(done, copied);
                }

                done += work[i] * workShare;
                ran[streamed++] = done;
            }

            // Once a round leaves copies and stages as the round before left them, all later rounds take equally long.
            double length = done - begin;
            bool isSteady = round > 1 && Math.Abs(copied - done - lead) < Instant && IsShifted(ranBefore, ran, length);
            if (isSteady) return done + (rounds - round - 1) * length;
        }

        return done;
    }

    private static bool IsShifted(ReadOnlySpan<double> before, ReadOnlySpan<double> after, double seconds)
    {
        for (int i = 0; i < before.Length; i++)
            if (Math.Abs(after[i] - before[i] - seconds) > Instant) return false;
        return true;
    }
}
