namespace MuseAtelier.Sampling;

/// <summary>
/// The linear map that turns a UNet's output F at a noise level into the clean latents: D(x, sigma) = Latents * x + Output * F, which
/// Karras et al. (2022) call c_skip and c_out.
/// </summary>
/// <param name="Latents">The factor of the latents x.</param>
/// <param name="Output">The factor of the UNet's output F; not 0.</param>
internal readonly record struct DenoisedMap(double Latents, double Output);
