namespace MuseAtelier.Sampling;

/// <summary>A choice of noise levels together with the program whose functions its names mean.</summary>
/// <param name="Schedule">The choice.</param>
/// <param name="Dialect">The program.</param>
internal sealed record ScheduleChoice(NoiseSchedule Schedule, SamplingDialect Dialect)
{
    /// <summary>
    /// Whether diffusers' scheduler of the sampler divides the timesteps into one part more than there are steps, computes Karras's
    /// levels over the whole trained range, and gives the UNet whole timesteps (scheduling_unipc_multistep.py,
    /// scheduling_dpmsolver_multistep.py).
    /// </summary>
    public bool IsMultistep { get; init; }

    /// <summary>
    /// Whether AUTOMATIC1111 begins with noise of variance 1, which is noise times sqrt(sigma^2 + 1) here (its UniPC,
    /// modules/sd_samplers_timesteps.py).
    /// </summary>
    public bool BeginsWithUnitVariance { get; init; }

    /// <summary>The choice of a request, with the automatic spacing resolved for its sampler.</summary>
    /// <remarks>
    /// diffusers' scheduler of DPM++ 2M is of the multistep kind too. This library has always given it SDXL's own timesteps, and a request
    /// keeps its picture.
    /// </remarks>
    /// <param name="request">The request.</param>
    /// <param name="isContinuous">Whether the model was trained on a continuous range of noise levels.</param>
    public static ScheduleChoice Of(PictureRequest request, bool isContinuous = false)
    {
        NoiseSchedule schedule = request.Schedule;
        if (schedule.Spacing == TimestepSpacing.Automatic) schedule = Resolve(schedule, request.Sampler, request.Dialect, isContinuous);
        bool isUniPc = request.Sampler == SamplerName.UniPc || request.Sampler == SamplerName.UniPcBh2;
        return new ScheduleChoice(schedule, request.Dialect)
        {
            IsMultistep = isUniPc && request.Dialect == SamplingDialect.Diffusers,
            BeginsWithUnitVariance = isUniPc && request.Dialect == SamplingDialect.A1111,
        };
    }

    /// <summary>
    /// Whether a sampler's schedule is computed for one step more and its last noise level above 0 is left out. Programs differ for
    /// UniPC (ComfyUI alone: comfy/samplers.py, KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS) and DPM++ 3M SDE (AUTOMATIC1111 alone:
    /// modules/sd_samplers_kdiffusion.py, discard_next_to_last_sigma).
    /// </summary>
    /// <param name="sampler">The sampler's name.</param>
    /// <param name="usual">What the sampler's registration says.</param>
    public bool DiscardsPenultimate(SamplerName sampler, bool usual)
    {
        if (Schedule.Timesteps is not null) return false;
        if (sampler == SamplerName.UniPc || sampler == SamplerName.UniPcBh2) return Dialect == SamplingDialect.Comfy;
        return usual || (sampler == SamplerName.Dpmpp3MSde && Dialect == SamplingDialect.A1111);
    }

    private static NoiseSchedule Resolve(NoiseSchedule schedule, SamplerName sampler, SamplingDialect dialect, bool isContinuous)
    {
        // diffusers spreads Karras's levels over the whole range of such a model (scheduling_edm_euler.py, sigma_schedule "karras").
        if (isContinuous && dialect == SamplingDialect.Diffusers && schedule.Timesteps is null)
            return schedule with { Spacing = TimestepSpacing.Linspace, Karras = true };
        // In AUTOMATIC1111 and ComfyUI, Karras's levels are a schedule of their own.
        bool isKarras = dialect == SamplingDialect.A1111 && IsKarrasInA1111(sampler) && schedule.Timesteps is null;
        if (dialect != SamplingDialect.Diffusers && (schedule.Karras || isKarras))
            return schedule with { Spacing = TimestepSpacing.Linspace, Karras = true };
        TimestepSpacing spacing = dialect switch
        {
            SamplingDialect.A1111 => OfA1111(sampler),
            // ComfyUI has no automatic choice: its KSampler begins with the first of its list, and LCM's examples have sgm_uniform.
            SamplingDialect.Comfy => IsConsistency(sampler) ? TimestepSpacing.SgmUniform : TimestepSpacing.Normal,
            _ => IsConsistency(sampler) ? TimestepSpacing.Lcm : TimestepSpacing.Leading,
        };
        return schedule with { Spacing = spacing };
    }

    private static bool IsConsistency(SamplerName sampler) => sampler == SamplerName.Lcm || sampler == SamplerName.Tcd;

    // modules/sd_samplers_kdiffusion.py, samplers_k_diffusion: the scheduler of each sampler.
    private static bool IsKarrasInA1111(SamplerName sampler) =>
        sampler == SamplerName.Dpmpp2M || sampler == SamplerName.DpmppSde || sampler == SamplerName.Dpmpp2SAncestral
        || sampler == SamplerName.Dpm2 || sampler == SamplerName.Dpm2Ancestral;

    private static TimestepSpacing OfA1111(SamplerName sampler)
    {
        bool isSde = sampler == SamplerName.Dpmpp2MSde || sampler == SamplerName.Dpmpp2MSdeHeun || sampler == SamplerName.Dpmpp3MSde;
        if (isSde) return TimestepSpacing.Exponential;
        // modules/sd_samplers_timesteps.py: every n-th timestep from 1 on.
        if (sampler == SamplerName.Ddim) return TimestepSpacing.Leading;
        // modules/models/diffusion/uni_pc: time_uniform, from the last timestep to the first one in equal parts.
        if (sampler == SamplerName.UniPc || sampler == SamplerName.UniPcBh2) return TimestepSpacing.SgmUniform;
        return IsConsistency(sampler) ? TimestepSpacing.Lcm : TimestepSpacing.Normal;
    }
}
