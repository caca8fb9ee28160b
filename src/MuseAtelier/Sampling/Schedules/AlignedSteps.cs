namespace MuseAtelier.Sampling;

/// <summary>
/// The noise levels that Sabour et al. (2024), "Align Your Steps", optimised for SDXL: a table of eleven, interpolated on logarithms for
/// other numbers of steps. The programs' tables differ in digits, and the programs in the number of levels for a number of steps.
/// </summary>
internal static class AlignedSteps
{
    // ComfyUI, comfy_extras/nodes_align_your_steps.py, NOISE_LEVELS["SDXL"].
    private static readonly double[] Comfys =
    [
        14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141, 0.5550693289, 0.3798540708, 0.2332364134,
        0.1114188177, 0.0291671582,
    ];

    // Forge, modules/sd_schedulers.py, get_align_your_steps_sigmas; diffusers, schedulers/scheduling_utils.py, AysSchedules, which has 0 in
    // place of the last.
    private static readonly double[] Published = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029];

    /// <summary>The noise levels above 0, as many as there are steps.</summary>
    /// <param name="steps">1 to 1000.</param>
    /// <param name="dialect">
    /// ComfyUI computes one level more and replaces the last one by 0, so that ten steps have the table. AUTOMATIC1111 computes as many as
    /// there are steps, so that eleven steps have the table. diffusers has ten steps alone; other numbers are interpolated as in ComfyUI.
    /// </param>
    public static double[] Of(int steps, SamplingDialect dialect)
    {
        double[] table = dialect == SamplingDialect.Comfy ? Comfys : Published;
        // A single step begins at the most noise.
        int parts = dialect == SamplingDialect.A1111 ? Math.Max(steps - 1, 1) : steps;
        return SigmaFunctions.Make(steps, i =>
        {
            double place = (double)i * (table.Length - 1) / parts;
            int below = Math.Min((int)place, table.Length - 2);
            return Math.Exp(SigmaFunctions.Lerp(Math.Log(table[below]), Math.Log(table[below + 1]), place - below));
        });
    }
}
