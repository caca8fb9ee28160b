namespace MuseAtelier.Residency;

/// <summary>
/// Plays a row of stages through, some of which wait for their weights: copies follow each other on a stream of their own, and a slot is
/// overwritten only after the stage in it has run.
/// </summary>
internal static class StageTimeline
{
    /// <summary>Slots that streamed weights pass through: one runs while the other is filled.</summary>
    public const int Slots = 2;

    /// <summary>Seconds of several rounds, one after the other.</summary>
    /// <param name="work">Seconds of each stage.</param>
    /// <param name="copies">Seconds of each stage's copy; 0 for one whose weights are there.</param>
    /// <param name="rounds">How often the row is run; a round's first copies go on during the end of the one before.</param>
    /// <param name="workShare">What is taken of each stage's seconds.</param>
    public static double Seconds(ReadOnlySpan<double> work, ReadOnlySpan<double> copies, int rounds, double workShare = 1)
    {
        double copied = 0, done = 0;
        Span<double> free = stackalloc double[Slots];
        free.Clear();
        for (int round = 0; round < rounds; round++)
        {
            // A stage's slot is the same in every round, so that its bindings are.
            int slot = 0;
            for (int i = 0; i < work.Length; i++)
            {
                if (copies[i] == 0)
                {
                    done += work[i] * workShare;
                    continue;
                }

                copied = Math.Max(copied, free[slot]) + copies[i];
                done = Math.Max(done, copied) + work[i] * workShare;
                free[slot] = done;
                slot = (slot + 1) % Slots;
            }
        }

        return done;
    }
}
