namespace MuseAtelier.Residency;

/// <summary>
/// Plays a row of stages through, some of which wait for their weights: copies follow each other on a stream of their own, and what lies in
/// the window is overwritten only after the stage that it belongs to has run.
/// </summary>
internal static class StageTimeline
{
    private const double Instant = 1e-12;

    /// <summary>Seconds of several rounds, one after the other.</summary>
    /// <param name="work">Seconds of each stage.</param>
    /// <param name="copies">Seconds of each stage's copy; 0 for one whose weights are there.</param>
    /// <param name="window">Where those that are copied lie, in their order.</param>
    /// <param name="rounds">How often the row is run; a round's first copies go on during the end of the one before.</param>
    /// <param name="workShare">What is taken of each stage's seconds.</param>
    public static double Seconds(ReadOnlySpan<double> work, ReadOnlySpan<double> copies, StreamingBufferLayout window, int rounds, double workShare = 1)
    {
        double copied = 0, done = 0;
        Span<double> ran = stackalloc double[window.Count], ranBefore = stackalloc double[window.Count];
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

                int distance = window.Distances[streamed];
                // A stage that overlaps no other lies there from the round before.
                if (distance < window.Count || round == 0)
                {
                    int blocker = streamed - distance;
                    bool isBlocked = blocker >= 0 || round > 0;
                    copied = Math.Max(copied, isBlocked ? ran[(blocker + window.Count) % window.Count] : 0) + copies[i];
                    done = Math.Max(done, copied);
                }

                done += work[i] * workShare;
                ran[streamed++] = done;
            }

            // A round that ends as the one before it did is followed by nothing but such rounds.
            double length = done - begin;
            if (round > 1 && Math.Abs(copied - done - lead) < Instant && IsShifted(ranBefore, ran, length)) return done + (rounds - round - 1) * length;
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
