namespace MuseAtelier.Sampling;

/// <summary>
/// The factors of a step of UniPC from sigma to sigmaNext, for its predictor or its corrector (ComfyUI comfy/extra_samplers/uni_pc.py,
/// multistep_uni_pc_bh_update; diffusers scheduling_unipc_multistep.py, multistep_uni_p_bh_update and multistep_uni_c_bh_update).
/// </summary>
/// <remarks>
/// For latents x at the scale of sigmas, h = ln(sigma / sigmaNext), m0 the denoised latents at the start, m[i] those of the i-th evaluation
/// before at sigma[i], r[i] = ln(sigma / sigma[i]) / h, and B = -h (bh1) or exp(-h) - 1 (bh2). With
/// base = (sigmaNext / sigma) x + (1 - sigmaNext / sigma) m0, the predictor of order p is base - B sum over 0 &lt; i &lt; p of
/// rho[i] (m[i] - m0) / r[i]. The corrector subtracts B rho[p] (m - m0) too, where m are the denoised latents at the end. The rho solve
/// sum over i of r[i]^(k-1) rho[i] = b[k], with r[p] = 1, b[k] = k! phi[k] / B, phi[1] = (exp(-h) - 1) / -h - 1 and
/// phi[k+1] = phi[k] / -h - 1 / (k+1)!. A single rho is 1/2 instead.
/// </remarks>
/// <param name="Latents">Of the latents at the start of the step.</param>
/// <param name="End">Of the denoised latents at its end; 0 for a predictor.</param>
/// <param name="Start">Of the denoised latents at its start.</param>
/// <param name="Before">Of those of the evaluation before; 0 for order 1.</param>
/// <param name="Earlier">Of those of the evaluation before that one; 0 up to order 2.</param>
internal readonly record struct UniPcCoefficients(float Latents, float End, float Start, float Before, float Earlier)
{
    /// <summary>The factors by which a step predicts the latents at its end.</summary>
    /// <param name="sigmas">The noise levels of the evaluations that it reads, falling, then its end: as many as its order and one.</param>
    /// <param name="isBh2">Whether B is exp(-h) - 1; otherwise it is -h.</param>
    public static UniPcCoefficients Predictor(ReadOnlySpan<float> sigmas, bool isBh2) => Of(sigmas, isBh2, isCorrector: false);

    /// <summary>The factors by which those latents are corrected after the evaluation there.</summary>
    /// <param name="sigmas">The same noise levels.</param>
    /// <param name="isBh2">Whether B is exp(-h) - 1; otherwise it is -h.</param>
    public static UniPcCoefficients Corrector(ReadOnlySpan<float> sigmas, bool isBh2) => Of(sigmas, isBh2, isCorrector: true);

    private static UniPcCoefficients Of(ReadOnlySpan<float> sigmas, bool isBh2, bool isCorrector)
    {
        double start = sigmas[^2];
        double ratio = sigmas[^1] / start;
        // The step to sigma 0 leads to the denoised latents, and a step between equal sigmas nowhere.
        if (ratio == 0) return new UniPcCoefficients(0, 0, 1, 0, 0);
        if (ratio == 1) return new UniPcCoefficients(1, 0, 0, 0, 0);
        double minusH = Math.Log(ratio);
        double b = isBh2 ? ratio - 1 : minusH;
        int earlier = sigmas.Length - 2;
        double[] places = new double[isCorrector ? earlier + 1 : earlier];
        for (int i = 0; i < earlier; i++) places[i] = Math.Log(start / sigmas[earlier - 1 - i]) / -minusH;
        if (isCorrector) places[^1] = 1;
        double[] rho = places.Length == 1 ? [0.5] : Solve(places, RightSide(minusH, b, places.Length));
        // The factors of the denoised latents before the start, the nearest first.
        double first = earlier > 0 ? -b * rho[0] / places[0] : 0;
        double second = earlier > 1 ? -b * rho[1] / places[1] : 0;
        double end = isCorrector ? -b * rho[^1] : 0;
        return new UniPcCoefficients(
            (float)ratio, (float)end, (float)(1 - ratio - first - second - end), (float)first, (float)second);
    }

    // b[1] to b[count].
    private static double[] RightSide(double minusH, double b, int count)
    {
        double[] values = new double[count];
        double phi = (Math.Exp(minusH) - 1) / minusH - 1;
        double factorial = 1;
        for (int k = 0; k < count; k++)
        {
            values[k] = phi * factorial / b;
            factorial *= k + 2;
            phi = phi / minusH - 1 / factorial;
        }

        return values;
    }

    // Solves sum over i of places[i]^k x[i] = right[k] by Newton's elimination for Vandermonde matrices (Björck and Pereyra, 1970).
    private static double[] Solve(double[] places, double[] right)
    {
        double[] x = [.. right];
        int last = x.Length - 1;
        for (int k = 0; k < last; k++)
            for (int i = last; i > k; i--) x[i] -= places[k] * x[i - 1];
        for (int k = last - 1; k >= 0; k--)
        {
            for (int i = k + 1; i <= last; i++) x[i] /= places[i] - places[i - k - 1];
            for (int i = k; i < last; i++) x[i] -= x[i + 1];
        }

        return x;
    }
}
