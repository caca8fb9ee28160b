namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The timesteps of SDXL-Turbo in ComfyUI: every hundredth from 999 down, as many as there are steps (comfy_extras/nodes_custom_sampler.py,
/// SDTurboScheduler).
/// </summary>
internal static class TurboTimesteps
{
    private const int Largest = 999;
    private const int Distance = 100;
    private const int MostSteps = 10;

    /// <summary>Sets a draft's timesteps, or names the schedule if there are not as many.</summary>
    /// <param name="draft">The draft, whose steps are set.</param>
    /// <param name="words">What the schedule is called in the text.</param>
    public static void Take(RequestDraft draft, string words)
    {
        if (draft.Steps is not (>= 1 and <= MostSteps and var steps))
        {
            draft.Skip(words);
            return;
        }

        int[] timesteps = new int[steps];
        for (int i = 0; i < steps; i++) timesteps[i] = Largest - i * Distance;
        draft.Timesteps = new TimestepList(timesteps);
    }
}
