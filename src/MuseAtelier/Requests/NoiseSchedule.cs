namespace MuseAtelier;

/// <summary>The choice of a picture's timesteps from the 1000 that the model was trained on.</summary>
public sealed record NoiseSchedule
{
    /// <summary>The spacing of the timesteps.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Automatic;

    /// <summary>
    /// Whether sigmas follow Karras et al. (2022), equation 5, with rho 7, between the spacing's largest and smallest sigma.
    /// </summary>
    public bool Karras { get; init; }

    /// <summary>
    /// The timesteps themselves, falling, as many as the request has steps; null means those of <see cref="Spacing"/>. Distilled models
    /// are trained on a few timesteps.
    /// </summary>
    public TimestepList? Timesteps { get; init; }
}

/// <summary>
/// The spacing of timesteps: the first three with the names and formulas of diffusers, the others with those of ComfyUI.
/// </summary>
public enum TimestepSpacing
{
    /// <summary>Every n-th timestep from 1 on: SDXL's own scheduler configuration.</summary>
    Leading,

    /// <summary>Every n-th timestep back from 1000.</summary>
    Trailing,

    /// <summary>Evenly from 0 to 999, with fractions: AUTOMATIC1111's choice for this sampler.</summary>
    Linspace,

    /// <summary>Timesteps evenly from 999 to 0; sigmas by their logarithms. ComfyUI's normal, AUTOMATIC1111's Uniform and Normal.</summary>
    Normal,

    /// <summary>Sigmas whose logarithms are even, from the largest trained one to the smallest.</summary>
    Exponential,

    /// <summary>k-diffusion's polyexponential schedule with its default rho 1, which is <see cref="Exponential"/>.</summary>
    Polyexponential,

    /// <summary>As <see cref="Normal"/> with one step more, whose last timestep is left out.</summary>
    SgmUniform,

    /// <summary>Every n-th trained sigma back from the largest one.</summary>
    Simple,

    /// <summary>
    /// Every n-th trained sigma from the second smallest one on. It may have more steps than requested, and for more than 500 it has 999.
    /// </summary>
    DdimUniform,

    /// <summary>
    /// Timesteps at the quantiles of the beta distribution with 0.6 and 0.6, as in ComfyUI. Equal ones are left out, so that many steps may
    /// be fewer than requested.
    /// </summary>
    Beta,

    /// <summary>Sigmas whose arc tangents are even, as in ComfyUI.</summary>
    KlOptimal,

    /// <summary>The sigmas of Sabour et al. (2024) for SDXL, as in ComfyUI: ten, or interpolated on logarithms.</summary>
    AlignYourSteps,

    /// <summary>
    /// The timesteps of latent consistency models: evenly chosen from a grid of 50 (diffusers scheduling_lcm.py, set_timesteps).
    /// </summary>
    Lcm,

    /// <summary>
    /// What the program of <see cref="PictureRequest.Dialect"/> picks for the sampler. With diffusers' it is <see cref="Leading"/>, and
    /// <see cref="Lcm"/> for the samplers of consistency models.
    /// </summary>
    Automatic,
}
